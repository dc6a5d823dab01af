"""Spaces in place of shapes: a Box is read by its attributes, and every other space gets an error with its remedy."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import npnets
from npnets import spaces
from npnets.description import shape

pytestmark = pytest.mark.numpy_alone("about descriptions, which hold no arrays")

gymnasium = pytest.importorskip("gymnasium")
SPACES = gymnasium.spaces
BOX = SPACES.Box(-np.inf, np.inf, (2, 3), np.float32)
IMAGES = SPACES.Box(0, 255, (4, 5, 3), np.uint8)
OTHERS: dict[str, tuple[Any, str, str]] = {  # the remedies for observations and for actions
    "Discrete": (SPACES.Discrete(3), r"state_shape=space\.n, .* numpy\.eye\(space\.n\)", r"use npnets\.discrete, "),
    "MultiDiscrete": (
        SPACES.MultiDiscrete([2, 3]),
        r"state_shape=space\.shape; for a vector environment pass its single_observation_space",
        r"BranchingNet, .* space\.nvec.* for a vector environment pass its single_action_space",
    ),
    "MultiBinary": (SPACES.MultiBinary(3), r"state_shape=space\.shape", "BranchingNet with two choices"),
    "Dict": (SPACES.Dict(a=BOX), "a preprocess net of your own", r"each of space\.spaces"),
    "Tuple": (SPACES.Tuple((BOX,)), "a preprocess net of your own", r"each of space\.spaces"),
    "Text": (SPACES.Text(3), "pass the shape of its arrays", "pass the shape of its arrays"),
}


@pytest.mark.parametrize("space", [BOX, IMAGES], ids=["numbers", "images"])
def test_a_box_in_place_of_a_shape_is_its_shape_whatever_its_bounds(space: Any) -> None:
    assert npnets.Net(space) == npnets.Net(space.shape)
    assert npnets.Net(4, space, concat=True) == npnets.Net(4, space.shape, concat=True)
    assert npnets.RecurrentCritic(1, space, space) == npnets.RecurrentCritic(1, space.shape, space.shape)
    assert repr(npnets.Net(space)) == f"Net({space.shape})"


def test_a_box_of_an_own_class_is_read_by_its_attributes() -> None:
    own = SimpleNamespace(shape=np.array([2, 3]), low=0, high=1)
    assert shape("state_shape", own) == (2, 3)
    low, high = spaces.box_bounds("action_shape", own)
    assert (low.tolist(), high.tolist()) == ([[0.0] * 3] * 2, [[1.0] * 3] * 2)


@pytest.mark.parametrize("kind", OTHERS)
def test_another_space_in_place_of_a_shape_gets_an_error_with_what_to_use_for_it(kind: str) -> None:
    space, of_observations, of_actions = OTHERS[kind]
    for name, remedy, make in (
        ("state_shape", of_observations, lambda: npnets.Net(space)),
        ("action_shape", of_actions, lambda: npnets.RecurrentCritic(1, 3, space)),
    ):
        with pytest.raises(TypeError, match=rf"{name} must be a shape or a Box, but is {kind}\(.*; .*{remedy}"):
            make()


def test_the_remedy_for_observations_that_are_numbers_of_states_works() -> None:
    space = SPACES.Discrete(3, start=1)
    net = npnets.Net(state_shape=space.n, hidden_sizes=(4,))
    observations = np.array([1, 3])
    rows = np.eye(space.n)[observations - space.start]
    np.testing.assert_array_equal(rows, [[1, 0, 0], [0, 0, 1]])
    assert net.forward(net.init(np.random.default_rng(0)), rows)[0].shape == (2, 4)


def test_a_class_of_spaces_and_an_array_are_no_spaces() -> None:
    assert not any(map(spaces.is_space, (SPACES.Box, SPACES.Discrete, np.ones(2), 3, (3,), "Box", None)))
    assert all(map(spaces.is_space, (BOX, *(space for space, *_ in OTHERS.values()))))


def test_a_box_without_axes_gets_the_error_of_an_empty_shape() -> None:
    with pytest.raises(ValueError, match=r"a single number is state_shape=1"):
        npnets.Net(SPACES.Box(-1, 1, ()))


def test_a_discrete_space_has_as_many_actions_as_its_n_says() -> None:
    assert spaces.choices("action_shape", SPACES.Discrete(5)) == 5


def test_a_discrete_space_that_does_not_begin_at_zero_gets_an_error_that_says_what_to_add() -> None:
    with pytest.raises(ValueError, match=r"begins at 0, but is .*; pass action_shape=5, and add 2 to each action"):
        spaces.choices("action_shape", SPACES.Discrete(5, start=2))


@pytest.mark.parametrize("kind", [kind for kind in OTHERS if kind != "Discrete"])
def test_a_space_that_is_not_discrete_gets_an_error_in_place_of_a_number_of_actions(kind: str) -> None:
    with pytest.raises(TypeError, match=rf"a number of actions or a Discrete, but is {kind}\("):
        spaces.choices("action_shape", OTHERS[kind][0])
    with pytest.raises(TypeError, match=r"but is Box\(.*; use npnets\.Actor or npnets\.ActorProb"):
        spaces.choices("action_shape", BOX)


def test_the_bounds_of_a_box_of_integers_get_an_error_that_says_how_to_pass_them() -> None:
    with pytest.raises(TypeError, match=r"of integers; .* action_shape=box\.shape, low=box\.low, high=box\.high"):
        spaces.box_bounds("action_shape", IMAGES)


def test_reading_a_space_imports_no_library_of_spaces() -> None:
    code = (
        "import sys, types, npnets; box = types.SimpleNamespace(shape=(3,), low=-1.0, high=1.0)\n"
        "print(npnets.Net(box), 'gymnasium' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "Net((3,)) False"

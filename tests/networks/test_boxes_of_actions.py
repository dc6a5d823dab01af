"""A `Box` as the shape of actions gives their bounds, and actions of several axes come out flat or whole."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, on_backend

import npnets

spaces = pytest.importorskip("gymnasium").spaces
TRUNK = npnets.Net(3, hidden_sizes=(8,))
ASYMMETRIC = spaces.Box(np.array([0, -1], np.float32), np.array([1, 2], np.float32))
SYMMETRIC = spaces.Box(-2, 2, (2,))
SEVERAL_AXES = spaces.Box(np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 9, np.float32))
NETWORKS = {
    "Actor": functools.partial(npnets.Actor, TRUNK),
    "ActorProb": functools.partial(npnets.ActorProb, TRUNK),
    "RecurrentActorProb": functools.partial(npnets.RecurrentActorProb, 1, 3),
}
each_network = pytest.mark.parametrize("name", NETWORKS)
about_descriptions = pytest.mark.numpy_alone("about descriptions, which hold no arrays")


def _outputs(net: Any, rows: int = 64) -> list[Any]:
    """Return the actions, or the mean and standard deviation, for large weights: many saturate."""
    params = on_backend(
        npnets.tree.map(lambda leaf: leaf * (50 if leaf.ndim > 1 else 1), net.init(np.random.default_rng(0)))
    )
    output, _ = net.forward(params, on_backend(np.random.default_rng(1).normal(size=(rows, 3))))
    return [as_numpy(one) for one in (output if isinstance(output, tuple) else (output,))]


@each_network
@pytest.mark.parametrize("space", [ASYMMETRIC, SYMMETRIC, SEVERAL_AXES], ids=["asymmetric", "symmetric", "axes"])
def test_all_actions_lie_in_the_box_and_reach_its_bounds(name: str, space: Any) -> None:
    actions = _outputs(NETWORKS[name](space))[0].reshape(-1, *space.shape)
    assert all(space.contains(action) for action in actions)
    np.testing.assert_allclose(np.ptp(actions, 0), space.high - space.low, rtol=0.1)


@about_descriptions
@each_network
def test_a_box_is_stored_as_numbers_that_print_as_the_call_compare_and_pickle(name: str) -> None:
    net = NETWORKS[name](ASYMMETRIC)
    assert net == NETWORKS[name]((2,), low=(0, -1), high=(1, 2)) == pickle.loads(pickle.dumps(net))
    assert repr(net).endswith("(2,), low=(0.0, -1.0), high=(1.0, 2.0))")
    assert NETWORKS[name](SYMMETRIC) == NETWORKS[name]((2,), max_action=2.0)
    assert NETWORKS[name](spaces.Box(np.array([-1, -3]), np.array([1, 3]), dtype=np.float64)).max_action == (1.0, 3.0)


@about_descriptions
@each_network
def test_low_and_high_that_are_passed_replace_those_of_the_box(name: str) -> None:
    for space in (ASYMMETRIC, spaces.Box(-np.inf, np.inf, (2,)), spaces.Box(0, 255, (2,), np.uint8)):
        assert NETWORKS[name](space, low=-3, high=[4, 5]) == NETWORKS[name]((2,), low=-3, high=[4, 5])


@about_descriptions
@each_network
def test_a_max_action_that_is_not_the_boxs_bound_is_an_error_and_its_shape_alone_is_not(name: str) -> None:
    for space, given in ((SYMMETRIC, 1.5), (ASYMMETRIC, [1, 2]), (SYMMETRIC, [2, 1])):
        with pytest.raises(ValueError, match=r"max_action as the Box has it, .* pass action_shape=box\.shape"):
            NETWORKS[name](space, max_action=given)
    assert NETWORKS[name](SYMMETRIC, max_action=SYMMETRIC.high).max_action == 2.0
    assert NETWORKS[name](SYMMETRIC.shape, max_action=1.5).max_action == 1.5


@about_descriptions
@each_network
def test_a_box_without_finite_bounds_is_an_error_unless_the_mean_is_unbounded(name: str) -> None:
    for low, high in ((-np.inf, np.inf), (0, np.inf)):
        with pytest.raises(ValueError, match=r"must be a Box with finite bounds, .* pass low= and high= of your own"):
            NETWORKS[name](spaces.Box(low, high, (2,)))
        if name != "Actor":
            assert NETWORKS[name](spaces.Box(low, high, (2,)), unbounded=True).low is None


@about_descriptions
@each_network
def test_a_box_whose_bounds_are_nan_or_equal_is_an_error(name: str) -> None:
    class OwnBox:
        shape, low, high = (2,), np.zeros(2), np.array([1.0, np.nan])

    with pytest.raises(ValueError, match="must be a Box with finite bounds"):
        NETWORKS[name](OwnBox())
    OwnBox.high = np.array([1.0, 0.0])
    with pytest.raises(ValueError, match="must be a Box whose low lies below its high"):
        NETWORKS[name](OwnBox())


@about_descriptions
@each_network
def test_a_space_that_is_no_box_is_an_error_that_says_what_to_use_for_it(name: str) -> None:
    for space, remedy in (
        (spaces.Discrete(3), r"use npnets\.discrete"),
        (spaces.MultiDiscrete([2, 3]), r"use npnets\.BranchingNet"),
        (spaces.Dict(arm=SYMMETRIC), r"one network for each of space\.spaces"),
    ):
        with pytest.raises(TypeError, match=rf"action_shape must be a shape or a Box, but .*{remedy}"):
            NETWORKS[name](space)


@about_descriptions
@each_network
def test_the_remedy_for_a_box_without_axes_keeps_its_bounds(name: str) -> None:
    box = spaces.Box(-1.0, 2.0, ())
    with pytest.raises(ValueError, match=r"single number is action_shape=1; .* bounds too: low=box.low, high=box.high"):
        NETWORKS[name](box)
    made = NETWORKS[name](1, low=box.low, high=box.high)
    assert (made.low, made.high) == (-1.0, 2.0)


@about_descriptions
def test_a_pair_of_bounds_as_max_action_is_an_error_that_names_low_and_high() -> None:
    for pair in ((-1, 1), (ASYMMETRIC.low, ASYMMETRIC.high), np.stack([SEVERAL_AXES.low, SEVERAL_AXES.high])):
        with pytest.raises(ValueError, match=r"if it is \(low, high\), use low="):
            npnets.Actor(TRUNK, 2, max_action=pair)


@each_network
def test_without_flatten_action_an_action_has_its_axes_and_the_same_numbers(name: str) -> None:
    flat, whole = (_outputs(NETWORKS[name](SEVERAL_AXES, flatten_action=flatten)) for flatten in (True, False))
    for one, other in zip(flat, whole, strict=True):
        assert one.shape == (64, 6) and other.shape == (64, 2, 3)
        np.testing.assert_array_equal(one, other.reshape(64, 6))


def test_actions_with_other_axes_than_the_bounds_are_an_error() -> None:
    bounds: Any = {"low": SEVERAL_AXES.low, "high": SEVERAL_AXES.high}
    perturbation = npnets.Perturbation(npnets.Net(9, 6), **bounds)
    vae = npnets.VAE(npnets.MLP(9, 4), npnets.MLP(5, 6), 4, 2, **bounds)
    state, action = on_backend((np.zeros((4, 3)), np.zeros((4, 3, 2))))
    for net, given in ((perturbation, {}), (vae, {"rng": np.random.default_rng(0)})):
        params = on_backend(net.init(np.random.default_rng(0)))
        with pytest.raises(ValueError, match=r"axes of low and high, \(2, 3\), .* but has shape \(4, 3, 2\)"):
            net.forward(params, state, action, **given)
        net.forward(params, state, action.reshape(4, 2, 3), **given)
        net.forward(params, state, action.reshape(4, 6), **given)


def test_perturbation_and_vae_return_actions_with_the_axes_that_came_in() -> None:
    rng, bounds = np.random.default_rng(2), {"low": SEVERAL_AXES.low, "high": SEVERAL_AXES.high}
    state = on_backend(rng.normal(size=(5, 3)).astype("f"))
    actions = rng.uniform(SEVERAL_AXES.low, SEVERAL_AXES.high, (5, 2, 3)).astype("f")
    perturbation = npnets.Perturbation(npnets.Net(9, 6, hidden_sizes=(4,)), **bounds)
    vae = npnets.VAE(npnets.MLP(9, 4), npnets.MLP(5, 6), 4, 2, **bounds)
    for net, options in ((perturbation, {}), (vae, {"noise": np.zeros((5, 2))})):
        params = on_backend(net.init(np.random.default_rng(0)))
        found = []
        for shape in ((5, 2, 3), (5, 6)):
            output = net.forward(params, state, on_backend(actions.reshape(shape)), **on_backend(options))
            found.append(as_numpy(output[0] if isinstance(output, tuple) else output))
            assert found[-1].shape == shape
        np.testing.assert_array_equal(*[one.reshape(5, 6) for one in found])
        assert all(SEVERAL_AXES.contains(action) for action in found[0])

"""`low` and `high` that make no sense are errors with a remedy; what older versions pickled and saved is still read."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend

import npnets

spaces = pytest.importorskip("gymnasium").spaces
Box = spaces.Box
TRUNK = npnets.Net(3, hidden_sizes=(4,))
SKEW = Box(np.array([0, -1], np.float32), np.array([1, 2], np.float32))
SEVERAL = Box(np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 9, np.float32))
NETWORKS: dict[str, Callable[..., Any]] = {
    "Actor": lambda space, **options: npnets.Actor(TRUNK, space, **options),
    "ActorProb": lambda space, **options: npnets.ActorProb(TRUNK, space, **options),
    "RecurrentActorProb": lambda space, **options: npnets.RecurrentActorProb(1, 3, space, 4, **options),
}
each_network = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
numpy_alone = pytest.mark.numpy_alone("about descriptions, which hold no arrays")


ERRORS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "a box as bound": (lambda make: make(2, max_action=SKEW), TypeError, r"low=box\.low, high=box\.high"),
    "a pair as bound": (lambda make: make(3, max_action=(-1, 2)), ValueError, r"use low=-1\.0, high=2\.0"),
    "no high": (lambda make: make(2, low=0), TypeError, r"low needs high"),
    "no low": (lambda make: make(2, high=0), TypeError, r"high needs low"),
    "both kinds": (lambda make: make(2, max_action=2, low=0, high=1), TypeError, r"leave out max_action"),
    "low above high": (lambda make: make(2, low=[0, 1], high=1), ValueError, r"low must be below high"),
    "NaN": (lambda make: make(2, low=np.nan, high=1), ValueError, r"low must be finite"),
    "infinity": (lambda make: make(2, low=0, high=np.inf), ValueError, r"high must be finite.*unbounded=True"),
    "text": (lambda make: make(2, low="0", high=1), TypeError, r"low must be a number or a NumPy array"),
    "a flat array": (lambda make: make((2, 3), low=[0] * 6, high=1), ValueError, r"shape \(2, 3\), but has .*\(6,\)"),
    "a word as flag": (lambda make: make(2, flatten_action="no"), TypeError, r"flatten_action must be True or False"),
}


@each_network
@pytest.mark.parametrize("name", ERRORS)
@numpy_alone
def test_bounds_that_make_no_sense_are_an_error_with_the_remedy(make: Any, name: str) -> None:
    call, error, words = ERRORS[name]
    with pytest.raises(error, match=words):
        call(make)


@numpy_alone
def test_a_perturbation_without_bounds_is_an_error_that_names_both_ways() -> None:
    with pytest.raises(TypeError, match=r"is None; give max_action, or low and high"):
        npnets.Perturbation(npnets.Net(5, 2))


@numpy_alone
def test_a_description_pickled_before_there_were_low_and_high_is_still_read() -> None:
    net = npnets.Actor(TRUNK, 2, max_action=2.0)
    old = pickle.loads(pickle.dumps(net))
    for name in ("low", "high", "flatten_action"):
        del old.__dict__[name]
    params, obs = net.init(np.random.default_rng(0)), np.ones((4, 3))
    assert old == net and repr(old) == repr(net)
    np.testing.assert_array_equal(old.forward(params, obs)[0], net.forward(params, obs)[0])


@numpy_alone
def test_a_network_made_with_a_space_is_unpickled_without_the_library_of_spaces() -> None:
    code = (
        "import pickle, sys; net = pickle.loads(sys.stdin.buffer.read()); print(net.high, 'gymnasium' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(npnets.Actor(TRUNK, SKEW)),
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert run.stdout.decode().strip() == "(1.0, 2.0) False"


@numpy_alone
def test_a_network_of_low_and_high_is_saved_and_loaded(tmp_path: Path) -> None:
    net = npnets.Actor(TRUNK, SEVERAL, flatten_action=False)
    params = net.init(np.random.default_rng(0))
    npnets.checkpoint.save(tmp_path / "actor.npz", params, {"network": net})
    found = npnets.checkpoint.load(tmp_path / "actor.npz").metadata["network"]
    assert found == net and repr(found) == repr(net)


@numpy_alone
def test_a_max_action_equals_that_of_a_box_up_to_the_rounding_of_float32() -> None:
    space = Box(-0.4, 0.4, (2,))
    assert npnets.Actor(TRUNK, space, max_action=0.4) == npnets.Actor(TRUNK, space)


def test_every_step_of_a_recurrent_actor_keeps_the_axes_of_an_action() -> None:
    net = npnets.RecurrentActorProb(1, 3, SEVERAL, 4, flatten_action=False)
    params, obs = on_backend((net.init(np.random.default_rng(0)), np.ones((5, 4, 3))))
    (mu, sigma), _ = net.forward(params, obs, all_steps=True)
    assert mu.shape == sigma.shape == (5, 4, 2, 3)
    assert_array_equal(mu[:, -1], as_numpy(net.forward(params, obs)[0][0]))

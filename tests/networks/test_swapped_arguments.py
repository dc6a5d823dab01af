"""Arguments in the wrong order are an error if their types show it, and the error gives the right order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npnets
from npnets import initializers, optim, tree
from npnets.distributions import Gaussian

pytestmark = pytest.mark.numpy_alone("about arguments, which are looked at before any arithmetic")

RNG = np.random.default_rng(0)
NET = npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 2)
PARAMS = NET.init(RNG)
OBS = np.ones((2, 3), np.float32)
ADAM = optim.adam()
STATE = ADAM.init(PARAMS)

SWAPPED: dict[str, tuple[Callable[[], Any], str]] = {
    "orthogonalize(params, rng, gain)": (
        lambda: initializers.orthogonalize(PARAMS, RNG, 1.0),  # type: ignore[arg-type]
        r"the order is orthogonalize\(rng, params, gain\)",
    ),
    "orthogonalize(rng, gain, params)": (
        lambda: initializers.orthogonalize(RNG, 2.0, PARAMS),
        r"gain must be a number, .*the order is orthogonalize\(rng, params, gain\)",
    ),
    "orthogonalize(rng, gain)": (
        lambda: initializers.orthogonalize(RNG, 2.0),
        r"expected a tree of arrays as params, but got 2.0; the order is orthogonalize\(rng, params, gain\)",
    ),
    "orthogonal(shape, rng)": (
        lambda: initializers.orthogonal((3, 2), RNG),  # type: ignore[arg-type]
        "rng must be a numpy.random.Generator",
    ),
    "orthogonal(rng, gain, shape)": (
        lambda: initializers.orthogonal(RNG, 1.0, (3, 2)),  # type: ignore[arg-type]
        r"the order is orthogonal\(rng, shape, gain\)",
    ),
    "uniform_fan_in(rng, fan_in, shape, dtype)": (
        lambda: initializers.uniform_fan_in(RNG, 3, (3, 2), np.float32),  # type: ignore[arg-type]
        r"fan_in must be an integer of at least 1, but is \(3, 2\)",
    ),
    "clip_by_global_norm(limit, grads)": (
        lambda: optim.clip_by_global_norm(1.0, PARAMS),
        r"the order is clip_by_global_norm\(grads, limit\)",
    ),
    "soft_update(tau, target, source)": (
        lambda: optim.soft_update(0.1, PARAMS, PARAMS),
        r"the order is soft_update\(target, source, tau\)",
    ),
    "update(params, state, grads)": (
        lambda: ADAM.update(PARAMS, STATE, PARAMS),
        r"write update\(params=params, grads=grads, state=state\)",
    ),
    "init(state)": (lambda: ADAM.init(STATE), "expected floating-point arrays as parameters, but got 0"),
    "init(network)": (lambda: ADAM.init(NET), r"expected floating-point arrays as parameters, but got ActorProb\("),
    "map(tree, fun)": (lambda: tree.map(PARAMS, np.negative), r"the order is tree.map\(fun, tree, \*rest\)"),
    "unzip(fun, count, tree)": (
        lambda: tree.unzip(lambda leaf: (leaf, leaf), 2, PARAMS),  # type: ignore[arg-type]
        r"the order is tree.unzip\(count, fun, tree, \*rest\)",
    ),
    "unzip(count, tree, fun)": (
        lambda: tree.unzip(2, PARAMS, lambda leaf: (leaf, leaf)),
        r"the order is tree.unzip\(count, fun, tree, \*rest\)",
    ),
    "ravel(only, tree)": (lambda: tree.ravel(lambda path: True, PARAMS), "only must be a function"),
    "to_device(device, tree)": (lambda: tree.to_device("cpu", PARAMS), r"the order is to_device\(tree, device\)"),
    "summary(params, network)": (lambda: npnets.summary(PARAMS, NET), "expected a network or a tree of arrays"),  # type: ignore[operator]
    "save(params, path)": (lambda: npnets.checkpoint.save(PARAMS, "a.npz"), r"save\(path, params\)"),
    "from_actor(params, actor, obs)": (
        lambda: Gaussian.from_actor(PARAMS, NET, OBS),
        r"the order is from_actor\(actor, params, obs, ...\)",
    ),
    "from_actor(actor, obs, params)": (lambda: Gaussian.from_actor(NET, OBS, PARAMS), "takes the parameters first"),
}


@pytest.mark.parametrize("call", SWAPPED)
def test_the_error_for_swapped_arguments_shows_the_right_order(call: str) -> None:
    run, message = SWAPPED[call]
    with pytest.raises((TypeError, ValueError), match=message):
        run()

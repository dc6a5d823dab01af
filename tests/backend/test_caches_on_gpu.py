"""Arrays on a GPU that the package caches, such as bounds of actions, are released by `npnets.memory.clear`."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import standin_cupy

import npnets
from npnets.distributions import SquashedGaussian

pytestmark = pytest.mark.numpy_alone("counts arrays of the stand-in that it puts in place itself")


def _live_arrays(cupy: object) -> int:
    gc.collect()
    return sum(type(found) is cupy.ndarray for found in gc.get_objects())  # type: ignore[attr-defined]


def _run_on_gpu() -> None:
    """Run networks and distributions whose constants are cached on the GPU of their parameters."""
    rng, obs = np.random.default_rng(0), np.ones((2, 3), np.float32)
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=(1.0, 2.0), device="cuda")
    actor.forward(actor.init(rng), obs)
    recurrent = npnets.Recurrent(1, 3, 2, "cuda", 4)
    recurrent.forward(recurrent.init(rng), obs)
    mu, sigma = npnets.tree.to_device((np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)), "cuda")
    SquashedGaussian(mu, sigma, (-1.0, -2.0, -3.0), (1.0, 2.0, 3.0)).mode()


def test_clear_releases_cached_arrays_on_a_gpu() -> None:
    import sys

    with standin_cupy.installed(devices=1):
        cupy = sys.modules["cupy"]
        npnets.memory.clear()
        before = _live_arrays(cupy)
        _run_on_gpu()
        assert _live_arrays(cupy) >= before + 4, "the bounds of both, the centre of the interval and the factors of z"
        npnets.memory.clear()
        assert _live_arrays(cupy) == before

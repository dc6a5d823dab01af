"""Computations by hand for the tests of the examples' algorithms: layers in NumPy, and steps along a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy

from npnets import tree


def double(x: Any) -> Any:
    """Return a tree in float64, so that computations by hand agree to many digits."""
    return tree.map(lambda leaf: leaf.astype(np.float64), x)


def mlp(params: Any, x: Any) -> Any:
    """Run an MLP with relu between its layers; weights of an ensemble have an axis for its members in front."""
    for index in range(len(params)):
        layer = params[f"linear_{index}"]
        x = x @ layer["weight"] + layer["bias"]
        x = np.maximum(x, 0) if index < len(params) - 1 else x
    return x


def slope(loss: Callable[[Any], Any], params: Any, direction: Any, step: float = 1e-6) -> Any:
    """Return the derivative of a function of a tree in a direction, by central differences."""
    ahead, behind = (tree.map(lambda p, d, s=s: p + s * d, params, direction) for s in (step, -step))
    return (loss(ahead) - loss(behind)) / (2 * step)


def assert_went_down(loss: Callable[[Any], Any], before: Any, after: Any) -> None:
    """Check that a step was the gradient of a loss, along a random direction."""
    before, after = as_numpy(before), as_numpy(after)
    rng = np.random.default_rng(9)
    direction = tree.map(lambda leaf: rng.normal(size=leaf.shape), before)
    walked = sum(np.vdot(b - a, d) for b, a, d in zip(*map(tree.leaves, (before, after, direction)), strict=True))
    assert walked == pytest.approx(slope(loss, before, direction), rel=1e-5)
    assert abs(walked) > 1e-4

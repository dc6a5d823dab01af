"""Actions within their bounds as operations.

Numbers are those that npnets itself computes with, rounded to the parameters' dtype. A clip to the exact bounds
follows, because a file may round otherwise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array
from npnets.export.lowering.builder import Builder, joined
from npnets.export.program import Affine, Clip, Value
from npnets.functional import bound_like, rounded_like

Bounds = tuple[Any, Any, Any]
"""`max_action`, `low` and `high`, as networks have them."""


def bounds_of(network: Any) -> Bounds:
    """Return a network's bounds."""
    return network.max_action, network.low, network.high


def scaled(builder: Builder, x: Value, bounds: Bounds, dtype: Any, name: str) -> Value:
    """Return `x`, which lies within [-1, 1], mapped to the bounds."""
    max_action, low, _ = bounds
    if low is None and np.all(np.equal(max_action, 1)):
        return x
    middle, half = middle_and_half(bounds, x.size, dtype)
    y = builder.add(Affine, joined(name, "scaled"), x.size, x=x, scale=half, offset=middle)
    return limited(builder, y, bounds, name)


def limited(builder: Builder, x: Value, bounds: Bounds, name: str) -> Value:
    """Return `x` clipped to the bounds."""
    max_action, low, high = bounds
    low, high = (np.negative(max_action), max_action) if low is None else (low, high)
    return builder.add(Clip, joined(name, "bounded"), x.size, x=x, low=wide(low, x.size), high=wide(high, x.size))


def middle_and_half(bounds: Bounds, size: int, dtype: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle of the bounds and half the width, as npnets computes with them in a dtype."""
    max_action, low, high = bounds
    like: Array = np.zeros(size, dtype)
    if low is None:
        return np.zeros(size), wide(bound_like(max_action, like), size)
    found = rounded_like(low, high, like)
    return wide(found.middle, size), wide(found.half, size)


def wide(value: Any, size: int) -> NDArray[np.float64]:
    """Return one number, or one for each entry in any shape, as a float64 vector."""
    return np.array(np.broadcast_to(np.ravel(np.asarray(value, np.float64)), (size,)))

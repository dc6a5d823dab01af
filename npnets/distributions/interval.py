"""The intervals that actions are squashed into, as numbers of the actions' dtype.

Rounding must not carry an action out of its interval: `npnets.bounds` rounds the interval so that it does not. What
densities need beside it is here.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from npnets import bounds
from npnets.backend import Array, to_device
from npnets.bounds import PlainEdge, check_below, check_room, within
from npnets.caches import bounded_cache


class Interval(NamedTuple):
    """Bounds of each action dimension, `(actions,)` arrays.

    Times `scale`, which is one or a half, every width is a number of the dtype: from -3e38 to 3e38 it is none of
    float32, while a half of what is very small would be lost.

    `low`, `high` lie inside of the bounds as given, `lowest`, `highest` are the nearest to them; `just_above_low` and
    `just_below_high` are the outermost actions short of the bounds; `log_half` is the sum of the logarithms of half the
    widths.
    """

    log_half: float
    scale: float
    low: Array
    high: Array
    middle: Array
    half: Array
    lowest: Array
    highest: Array
    just_above_low: Array
    just_below_high: Array


def edge(name: str, value: object, actions: int) -> PlainEdge:
    """Return a bound as a number; or, if they differ, as a tuple of one for each action dimension."""
    if type(value) is float and math.isfinite(value):
        return value
    return bounds.edge(name, value, (actions,), "for actions without bounds use Gaussian")


@bounded_cache(maxsize=256)
def interval(low: PlainEdge, high: PlainEdge, actions: int, dtype: str, device: str) -> Interval:
    """Return bounds in a dtype and on a device; they are copied to a GPU once and not for each distribution."""
    lows, highs = (np.broadcast_to(np.asarray(one, np.float64), (actions,)) for one in (low, high))
    check_below(low, high)
    arrays = _within(lows, highs, np.dtype(dtype))
    for array in arrays:
        array.setflags(write=False)
    log_half = float(np.log(arrays[1].astype(np.float64) / 2 - arrays[0].astype(np.float64) / 2).sum())
    with np.errstate(over="ignore"):
        scale = 1.0 if np.isfinite(arrays[1] - arrays[0]).all() else 0.5
    return Interval(log_half, scale, *(to_device(array, device) for array in arrays))


def _within(lows: Array, highs: Array, dtype: np.dtype[Any]) -> tuple[Array, ...]:
    with np.errstate(over="ignore"):
        lowest, highest = lows.astype(dtype), highs.astype(dtype)
    check_room(np.isfinite(lowest) & np.isfinite(highest), lows, highs, dtype)
    low, high, middle, half = within(lows, highs, dtype)
    check_room((low < middle) & (middle < high) & (half > 0), lows, highs, dtype)
    step = half * (np.finfo(dtype).eps / 2)  # by which tanh falls short of one at the last number before it
    above = np.maximum(np.nextafter(low, high), low + step)
    below = np.minimum(np.nextafter(high, low), high - step)
    return low, high, middle, half, lowest, highest, above, below

"""The intervals that actions are squashed into, as numbers of the actions' dtype.

Rounding must not carry an action out of its interval. Bounds that a dtype cannot hold are therefore rounded inwards,
and half the width is rounded down until `middle + half` and `middle - half` lie inside: as rounding keeps order, so
does then every `middle + half * t` with `t` in [-1, 1].
"""

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from npnets.backend import Array, to_device
from npnets.caches import bounded_cache

Edge: TypeAlias = float | tuple[float, ...]


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


def edge(name: str, value: object, actions: int) -> Edge:
    """Return a bound as a number; or, if they differ, as a tuple of one for each action dimension."""
    if type(value) is float and math.isfinite(value):
        return value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number or a NumPy array of numbers, but is {value!r:.80}") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a number or a NumPy array of numbers, but is {value!r:.80}")
    if array.shape not in ((), (actions,)):
        raise ValueError(
            f"{name} must be one number, or one for each action dimension, of shape ({actions},), but has shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, but is {value!r:.80}; for actions without bounds use Gaussian")
    numbers = array.astype(np.float64).ravel().tolist()
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


@bounded_cache(maxsize=256)
def interval(low: Edge, high: Edge, actions: int, dtype: str, device: str) -> Interval:
    """Return bounds in a dtype and on a device; they are copied to a GPU once and not for each distribution."""
    lows, highs = (np.broadcast_to(np.asarray(bound, np.float64), (actions,)) for bound in (low, high))
    if not (lows < highs).all():
        raise ValueError(f"low must be below high, but low is {low} and high is {high}")
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
    _check_room(np.isfinite(lowest) & np.isfinite(highest), lows, highs, dtype)
    low = np.where(lowest < lows, np.nextafter(lowest, highest), lowest)
    high = np.where(highest > highs, np.nextafter(highest, lowest), highest)
    middle = low / 2 + high / 2
    half = np.minimum(high - middle, middle - low)
    while (outside := (half > 0) & ((middle + half > high) | (middle - half < low))).any():
        half = np.where(outside, np.nextafter(half, np.zeros_like(half)), half)
    _check_room(half > 0, lows, highs, dtype)
    step = half * (np.finfo(dtype).eps / 2)  # by which tanh falls short of one at the last number before it
    above = np.maximum(np.nextafter(low, high), low + step)
    below = np.minimum(np.nextafter(high, low), high - step)
    return low, high, middle, half, lowest, highest, above, below


def _check_room(there_is: Array, lows: Array, highs: Array, dtype: np.dtype[Any]) -> None:
    if not there_is.all():
        raise ValueError(f"no numbers of {dtype} lie between low {lows.tolist()} and high {highs.tolist()}")

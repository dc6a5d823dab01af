"""Repeating entries, repeating whole arrays, and moving entries around: `repeat`, `tile`, `roll`."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from npnets.autodiff import bare, primitive
from npnets.backend import Array, namespace
from npnets.numpy.constants import asarray
from npnets.numpy.indexing import take
from npnets.numpy.reductions import sum
from npnets.numpy.shaping import ravel, reshape


def repeat(x: ArrayLike, repeats: int | Sequence[int], axis: int | None = None) -> Array:
    """Repeat each entry in a row along an axis; without `axis`, in one dimension.

    `repeats` is one number for all entries, or one for each, in a list or on the CPU; a constant to every derivative.
    """
    x = asarray(x)
    x, axis = (ravel(x), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim))
    if isinstance(repeats, (int, np.integer)):
        return _repeat(x, operator.index(repeats), axis)
    return take(x, (*[slice(None)] * axis, np.repeat(np.arange(x.shape[axis]), _numbers(repeats, x, axis))))


def _numbers(repeats: object, x: Any, axis: int) -> Any:
    """Return how often each entry along an axis is repeated."""
    given = bare(repeats)
    if namespace(given) is not np:
        raise TypeError("expected repeats as integers or a NumPy array, but got an array on a GPU; use repeats.get()")
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu":
        raise TypeError(
            f"expected repeats as integers, but got {repeats!r:.60} of {numbers.dtype}; convert with astype(int)"
        )
    if numbers.shape not in ((), (1,), (x.shape[axis],)):
        raise ValueError(
            f"expected repeats as one integer, or {x.shape[axis]} for the entries along axis {axis} of shape "
            f"{x.shape}, but got shape {numbers.shape}"
        )
    return numbers


@primitive(
    vjp=lambda argnum, g, output, args: _repeat_back(g, *args),
    jvp=lambda argnum, tangent, output, args: _repeat(tangent, *args[1:]),
    copies_constants=False,
)
def _repeat(x: Array, repeats: int, axis: int) -> Array:
    return namespace(x).repeat(x, repeats, axis)


def _repeat_back(g: Array, x: Array, repeats: int, axis: int) -> Array:
    return sum(reshape(g, (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])), axis + 1)


def tile(x: ArrayLike, reps: int | Sequence[int]) -> Array:
    """Repeat an array as a whole, along its last axis or, with several `reps`, along its last axes, or new ones."""
    times = tuple([operator.index(number) for number in ([reps] if isinstance(reps, (int, np.integer)) else reps)])
    if min(times, default=0) < 0:
        raise ValueError(f"expected reps as zero or more, but got {reps}")
    return _tile(asarray(x), times)


@primitive(
    vjp=lambda argnum, g, output, args: _tile_back(g, *args),
    jvp=lambda argnum, tangent, output, args: _tile(tangent, *args[1:]),
    copies_constants=False,
)
def _tile(x: Array, reps: tuple[int, ...]) -> Array:
    return namespace(x).tile(x, reps)


def _tile_back(g: Any, x: Any, reps: tuple[int, ...]) -> Any:
    """Sum over the copies: the first, third, ... axis counts them, once each axis of the output is split."""
    shape, reps = (1,) * (len(reps) - x.ndim) + x.shape, (1,) * (x.ndim - len(reps)) + reps
    split = [size for pair in zip(reps, shape, strict=True) for size in pair]
    return reshape(sum(reshape(g, split), tuple(range(0, len(split), 2))), x.shape)


def roll(x: ArrayLike, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Array:
    """Move entries along an axis or several, those that leave at the end to the front; without `axis`, as if in one."""
    x = asarray(x)
    shifts: dict[int, int] = {}
    for each, one in np.broadcast(shift, 0 if axis is None else axis):
        place = 0 if axis is None else normalize_axis_index(operator.index(one), x.ndim)
        shifts[place] = shifts.get(place, 0) + operator.index(each)
    rolled = _roll(ravel(x) if axis is None else x, tuple(shifts.values()), tuple(shifts))
    return reshape(rolled, x.shape) if axis is None else rolled


@primitive(
    vjp=lambda argnum, g, output, args: _roll(g, tuple([-shift for shift in args[1]]), args[2]),
    jvp=lambda argnum, tangent, output, args: _roll(tangent, *args[1:]),
    copies_constants=False,
)
def _roll(x: Array, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    return namespace(x).roll(x, shifts, axes)

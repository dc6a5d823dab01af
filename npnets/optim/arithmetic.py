"""Arithmetic on one leaf at a time: each function returns an array of its own and changes nothing else.

On a GPU each is one launch. On NumPy each passes `out=`: for large leaves a scratch buffer, because half of the time
would go into fresh memory; and for an array of no dimension because NumPy would return a scalar, which cannot be
written into.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np

from npnets.backend import Array, namespace
from npnets.kernels.buffers import scratch
from npnets.kernels.cuda import arithmetic as cuda

T = TypeVar("T")
Lerp: TypeAlias = Callable[[Array, Array, float], Array]

_VANISHING = float(np.finfo(np.float32).tiny)


def axpy(factor: float, x: Array, y: Array) -> Array:
    """Return `factor * x + y`."""
    if namespace(x) is not np:
        return cuda.AXPY(x, factor, y)
    output = np.multiply(x, factor, out=scratch(x, x.shape))
    output += y
    return output


def lerp(x: Array, y: Array, weight: float) -> Array:
    """Return `(1 - weight) * x + weight * y`; at a weight of zero or one `x` or `y` itself, to the last bit.

    Computed from the difference of the two, which is exact where they are equal. On NumPy only where no difference
    overflows and no infinity meets another or a zero: `in_range` sees to that.
    """
    if weight in (0, 1):
        return (y if weight else x).copy()
    if namespace(x) is not np:
        return cuda.LERP(x, y, weight, 1 - weight)
    output = np.subtract(y, x, out=scratch(x, x.shape))
    output *= weight if weight < 0.5 else weight - 1
    output += x if weight < 0.5 else y
    return output


def _lerp_anywhere(x: Array, y: Array, weight: float) -> Array:
    """Do as `lerp` for any numbers: where a difference is not finite, the weighted sum takes its place."""
    if weight in (0, 1) or namespace(x) is not np:
        return lerp(x, y, weight)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(y - x), lerp(x, y, weight), (1 - weight) * x + weight * y)


def in_range(compute: Callable[[Lerp], T]) -> T:
    """Return what is computed with `lerp`; if anything overflows on the way, computed again with its careful form.

    The processor notes an overflow and an infinity lost by itself, so that ordinary numbers need no look at them.
    """
    try:
        with np.errstate(over="raise", invalid="raise", under="ignore"):
            return compute(lerp)
    except FloatingPointError:
        return compute(_lerp_anywhere)


def lerp_square(x: Array, y: Array, weight: float) -> Array:
    """Return `(1 - weight) * x + weight * y * y`."""
    if namespace(x) is not np:
        return cuda.LERP_SQUARE(x, y, weight, 1 - weight)
    output = np.multiply(x, 1 - weight, out=scratch(x, x.shape))
    square = np.multiply(y, y, out=scratch(x, x.shape))
    square *= weight
    output += square
    return output


def ratio(x: Array, square: Array, eps: float) -> Array:
    """Return `x / (sqrt(square) + eps)`."""
    if namespace(x) is not np:
        return cuda.RATIO(x, square, eps)
    output = np.sqrt(square, out=scratch(square, square.shape))
    output += eps
    if eps < _VANISHING:  # where the dtype has no such number, zero would be divided by zero
        output[output == 0] = 1
    return np.divide(x, output, out=output)

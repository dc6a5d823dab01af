"""Arithmetic on one leaf at a time: each function answers with an array of its own and changes nothing else.

On a GPU each is one launch. On NumPy `out=` is given an array, for large leaves one in memory that is kept: half of the
time goes into fresh memory else. NumPy's functions would also answer with a scalar, which nothing can be written into,
for an array of no dimension.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np

from npnets.backend import Array, namespace
from npnets.kernels.workspace import room
from npnets.launch import Launch

T = TypeVar("T")
Lerp: TypeAlias = Callable[[Array, Array, float], Array]

_SCALED_SUM = Launch("T x, T factor, T y", "T answer", "answer = factor * x + y;", "scaled_sum")
LERP = """const T difference = {y} - {x};
    {out} = !(difference - difference == T(0)) ? T({x} * kept + {y} * share)
          : share < T(0.5) ? T(difference * share + {x}) : T(difference * (share - T(1)) + {y});"""
"""The CUDA C++ of `toward`: where a difference is not finite, the weighted sum takes its place."""

_TOWARD = Launch("T x, T y, T share, T kept", "T answer", LERP.format(x="x", y="y", out="answer"), "toward")
_TOWARD_SQUARE = Launch("T x, T y, T share, T kept", "T answer", "answer = x * kept + y * y * share;", "toward_square")
_RATIO = Launch(
    "T x, T square, T eps",
    "T answer",
    "const T root = sqrt(square) + eps; answer = x / (root == T(0) ? T(1) : root);",
    "ratio",
)
_VANISHING = float(np.finfo(np.float32).tiny)


def scaled_sum(x: Array, factor: float, y: Array) -> Array:
    """Return `factor * x + y`."""
    if namespace(x) is not np:
        return _SCALED_SUM(x, factor, y)
    answer = np.multiply(x, factor, out=room(x, x.shape))
    answer += y
    return answer


def toward(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y`; at a share of zero or one `x` or `y` itself, to the last bit.

    Computed from the difference of the two, which is exact where they are equal. On NumPy only where no difference
    overflows and no infinity meets another or a zero: `in_range` sees to that.
    """
    if share in (0, 1):
        return (y if share else x).copy()
    if namespace(x) is not np:
        return _TOWARD(x, y, share, 1 - share)
    answer = np.subtract(y, x, out=room(x, x.shape))
    answer *= share if share < 0.5 else share - 1
    answer += x if share < 0.5 else y
    return answer


def _toward_anywhere(x: Array, y: Array, share: float) -> Array:
    """Do as `toward` for any numbers: where a difference is not finite, the weighted sum takes its place."""
    if share in (0, 1) or namespace(x) is not np:
        return toward(x, y, share)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(y - x), toward(x, y, share), (1 - share) * x + share * y)


def in_range(compute: Callable[[Lerp], T]) -> T:
    """Return what is computed with `toward`; if anything overflows on the way, computed again with its careful form.

    The processor notes an overflow and an infinity lost by itself, so that ordinary numbers need no look at them.
    """
    try:
        with np.errstate(over="raise", invalid="raise", under="ignore"):
            return compute(toward)
    except FloatingPointError:
        return compute(_toward_anywhere)


def toward_square(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y * y`."""
    if namespace(x) is not np:
        return _TOWARD_SQUARE(x, y, share, 1 - share)
    answer = np.multiply(x, 1 - share, out=room(x, x.shape))
    square = np.multiply(y, y, out=room(x, x.shape))
    square *= share
    answer += square
    return answer


def ratio(x: Array, square: Array, eps: float) -> Array:
    """Return `x / (sqrt(square) + eps)`."""
    if namespace(x) is not np:
        return _RATIO(x, square, eps)
    answer = np.sqrt(square, out=room(square, square.shape))
    answer += eps
    if eps < _VANISHING:  # where the dtype has no such number, zero would be divided by zero
        answer[answer == 0] = 1
    return np.divide(x, answer, out=answer)

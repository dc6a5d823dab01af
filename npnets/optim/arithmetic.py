"""Arithmetic on one leaf at a time: each function answers with an array of its own and changes nothing else.

On a GPU each is one launch. On NumPy `out=` is given an array, for large leaves one in memory that is kept: half of the
time goes into fresh memory else. NumPy's functions would also answer with a scalar, which nothing can be written into,
for an array of no dimension.
"""

import math

import numpy as np

from npnets.backend import Array, namespace
from npnets.kernels.workspace import room
from npnets.launch import Launch

_SCALED_SUM = Launch("T x, T factor, T y", "T answer", "answer = factor * x + y;", "scaled_sum")
_TOWARD = Launch(
    "T x, T y, T share",
    "T answer",
    """const T distance = y - x;
    answer = share < T(0.5) ? T(distance * share + x) : T(distance * (share - T(1)) + y);
    if (!isfinite(answer)) answer = share == T(0) ? x : share == T(1) ? y : T(x * (T(1) - share) + y * share);""",
    "toward",
)
_TOWARD_SQUARE = Launch("T x, T y, T share, T kept", "T answer", "answer = x * kept + y * y * share;", "toward_square")
_RATIO = Launch("T x, T square, T eps", "T answer", "answer = x / (sqrt(square) + eps);", "ratio")


def scaled_sum(x: Array, factor: float, y: Array) -> Array:
    """Return `factor * x + y`."""
    if namespace(x) is not np:
        return _SCALED_SUM(x, factor, y)  # type: ignore[no-any-return]
    answer = np.multiply(x, factor, out=room(x, x.shape))
    answer += y
    return answer


def toward(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y`; at a share of zero or one `x` or `y` itself, to the last bit.

    Computed from the difference of the two, which is exact where they are equal. Where one of them is infinite, or the
    difference overflows, the weighted sum takes its place.
    """
    if namespace(x) is not np:
        return _TOWARD(x, y, share)  # type: ignore[no-any-return]
    answer = np.subtract(y, x, out=room(x, x.shape))
    answer *= share if share < 0.5 else share - 1
    answer += x if share < 0.5 else y
    if not math.isfinite(np.vdot(answer, answer)):
        wrong = ~np.isfinite(answer)
        answer[wrong] = _weighted(x[wrong], y[wrong], share)
    return answer


def _weighted(x: Array, y: Array, share: float) -> Array:
    if share in (0, 1):  # zero times infinity is no number
        return y if share else x
    return x * (1 - share) + y * share


def toward_square(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y * y`."""
    if namespace(x) is not np:
        return _TOWARD_SQUARE(x, y, share, 1 - share)  # type: ignore[no-any-return]
    answer = np.multiply(x, 1 - share, out=room(x, x.shape))
    square = np.multiply(y, y, out=room(x, x.shape))
    square *= share
    answer += square
    return answer


def ratio(x: Array, square: Array, eps: float) -> Array:
    """Return `x / (sqrt(square) + eps)`."""
    if namespace(x) is not np:
        return _RATIO(x, square, eps)  # type: ignore[no-any-return]
    answer = np.sqrt(square, out=room(square, square.shape))
    answer += eps
    return np.divide(x, answer, out=answer)

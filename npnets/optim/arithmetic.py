"""Arithmetic on one leaf at a time: each function allocates its answer and changes nothing else.

On a GPU each is one launch. On NumPy `out=` is given an array because NumPy's functions answer with a scalar, which
nothing can be written into, for an array of no dimension.
"""

import numpy as np

from npnets.backend import Array, namespace
from npnets.launch import Launch

_SCALED_SUM = Launch("T x, T factor, T y", "T answer", "answer = factor * x + y;", "scaled_sum")
_TOWARD = Launch(
    "T x, T y, T share",
    "T answer",
    "answer = share < T(0.5) ? T((y - x) * share + x) : T((y - x) * (share - T(1)) + y);",
    "toward",
)
_TOWARD_SQUARE = Launch("T x, T y, T share, T kept", "T answer", "answer = x * kept + y * y * share;", "toward_square")
_RATIO = Launch(
    "T x, T square, T correction, T eps", "T answer", "answer = x / (sqrt(square) / correction + eps);", "ratio"
)


def scaled_sum(x: Array, factor: float, y: Array) -> Array:
    """Return `factor * x + y`."""
    if namespace(x) is not np:
        return _SCALED_SUM(x, factor, y)  # type: ignore[no-any-return]
    answer = np.multiply(x, factor, out=np.empty_like(x))
    answer += y
    return answer


def toward(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y`; at a share of one `y` itself, to the last bit."""
    if namespace(x) is not np:
        return _TOWARD(x, y, share)  # type: ignore[no-any-return]
    answer = np.subtract(y, x, out=np.empty_like(x))
    answer *= share if share < 0.5 else share - 1
    answer += x if share < 0.5 else y
    return answer


def toward_square(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y * y`."""
    if namespace(x) is not np:
        return _TOWARD_SQUARE(x, y, share, 1 - share)  # type: ignore[no-any-return]
    answer = np.multiply(x, 1 - share, out=np.empty_like(x))
    square = y * y
    square *= share
    answer += square
    return answer


def ratio(x: Array, square: Array, correction: float, eps: float) -> Array:
    """Return `x / (sqrt(square) / correction + eps)`."""
    if namespace(x) is not np:
        return _RATIO(x, square, correction, eps)  # type: ignore[no-any-return]
    answer = np.sqrt(square, out=np.empty_like(square))
    answer /= correction
    answer += eps
    return np.divide(x, answer, out=answer)

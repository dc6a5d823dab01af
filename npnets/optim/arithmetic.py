"""Arithmetic on one leaf at a time: each function allocates its answer and changes nothing else.

`out=` is given an array because NumPy's functions answer with a scalar, which nothing can be written into, for an array
of no dimension.
"""

import numpy as np

from npnets.backend import Array


def scaled_sum(x: Array, factor: float, y: Array) -> Array:
    """Return `factor * x + y`."""
    answer = np.multiply(x, factor, out=np.empty_like(x))
    answer += y
    return answer


def toward(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y`; at a share of one `y` itself, to the last bit."""
    answer = np.subtract(y, x, out=np.empty_like(x))
    answer *= share if share < 0.5 else share - 1
    answer += x if share < 0.5 else y
    return answer


def toward_square(x: Array, y: Array, share: float) -> Array:
    """Return `(1 - share) * x + share * y * y`."""
    answer = np.multiply(x, 1 - share, out=np.empty_like(x))
    square = y * y
    square *= share
    answer += square
    return answer


def ratio(x: Array, square: Array, correction: float, eps: float) -> Array:
    """Return `x / (sqrt(square) / correction + eps)`."""
    answer = np.sqrt(square, out=np.empty_like(square))
    answer /= correction
    answer += eps
    return np.divide(x, answer, out=answer)

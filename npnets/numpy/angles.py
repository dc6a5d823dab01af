"""Angles: sine and cosine, the angle of a point, and the remainder that takes an angle back into one turn."""

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare
from npnets.backend import Array
from npnets.numpy.elementwise import elementwise, square, where


@elementwise(lambda output, x: cos(x))
def sin(x: ArrayLike) -> Array:
    """Sine of each entry, in radians."""
    return np.sin(x)


@elementwise(lambda output, x: -sin(x))
def cos(x: ArrayLike) -> Array:
    """Cosine of each entry, in radians."""
    return np.cos(x)


@elementwise(
    lambda output, y, x: _over_squared_length(x, y, x),
    lambda output, y, x: -_over_squared_length(y, y, x),
)
def arctan2(y: ArrayLike, x: ArrayLike) -> Array:
    """Angle of the point `(x, y)` in radians, within `[-pi, pi]`, broadcast; its derivatives at the origin are zero."""
    return np.arctan2(y, x)


def _over_squared_length(numerator: Array | float, y: Array | float, x: Array | float) -> Array:
    """Return `numerator / (x**2 + y**2)` for one of both, without overflow; zero at the origin and at infinity."""
    largest = np.maximum(abs(bare(y)), abs(bare(x)))
    usable = (largest != 0) & ~np.isinf(largest)
    scale = np.where(usable, largest, 1)
    squares = square(where(usable, x, 1) / scale) + square(where(usable, y, 1) / scale)
    return where(usable, numerator, 0) / scale / squares / scale


@elementwise(1, lambda output, x, y: -np.floor_divide(bare(x), bare(y)))
def mod(x: ArrayLike, y: ArrayLike) -> Array:
    """Remainder of `x / y` with the sign of `y`, broadcast; at a jump its derivatives are those of the upper side."""
    return np.remainder(x, y)

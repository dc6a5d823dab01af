"""Products of matrices and vectors."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import primitive
from npnets.backend import Array
from npnets.numpy.broadcasting import like_argument, like_output
from npnets.numpy.constants import asarray
from npnets.numpy.elementwise import multiply
from npnets.numpy.shaping import (
    expand_dims,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    transpose,
    with_numbers_as_arrays,
    with_numbers_in_dtype,
)


def matmul(x: ArrayLike, y: ArrayLike) -> Array:
    """Matrix product over the last two axes, leading axes broadcast; a vector counts as one row or one column."""
    x, y = map(asarray, with_numbers_in_dtype((x, y)))
    if x.ndim == 1:
        return squeeze(matmul(expand_dims(x, 0), y), 0 if y.ndim == 1 else -2)
    if y.ndim == 1:
        return squeeze(_matmul(x, expand_dims(y, 1)), -1)
    return _matmul(x, y)


def _matmul_vjp(argnum: int, g: Any, output: Any, args: Any) -> Any:
    x, y = args
    if argnum == 0:
        return like_argument(_matmul(g, swapaxes(y, -1, -2)), x)
    return like_argument(_matmul(swapaxes(x, -1, -2), g), y)


def _matmul_jvp(argnum: int, tangent: Any, output: Any, args: Any) -> Any:
    x, y = args
    return like_output(_matmul(tangent, y) if argnum == 0 else _matmul(x, tangent), output)


@primitive(_matmul_vjp, _matmul_jvp)
def _matmul(x: Array, y: Array) -> Array:
    return np.matmul(x, y)


def dot(x: ArrayLike, y: ArrayLike) -> Array:
    """Sum of products over the last axis of `x` and the last but one of `y`, or the only one of a vector.

    `(..., k)` with `(..., k, m)` is `(..., ..., m)`: the axes of both, one after the other, and not broadcast as by
    `matmul`. With a number, the product of each entry.
    """
    left, right = _as_arrays(x, y)
    if not left.ndim or not right.ndim:
        return multiply(left, right)
    return matmul(left, right) if left.ndim < 3 and right.ndim < 3 else _dot(left, right)


def _dot(x: Any, y: Any) -> Any:
    size, inner = x.shape[-1], max(y.ndim - 2, 0)
    if y.shape[inner] != size:
        raise ValueError(
            f"expected one size for the last axis of x and axis {inner} of y, but got {x.shape} and {y.shape}"
        )
    others = [axis for axis in range(y.ndim) if axis != inner]
    rows, columns = x.shape[:-1], tuple([y.shape[axis] for axis in others])
    left = reshape(x, (math.prod(rows), size))
    right = reshape(transpose(y, (inner, *others)), (size, math.prod(columns)))
    return reshape(_matmul(left, right), (*rows, *columns))


def outer(x: ArrayLike, y: ArrayLike) -> Array:
    """Product of each entry of `x` with each of `y`, `(n, m)`; arrays of more axes are laid out in one dimension."""
    left, right = _as_arrays(x, y)
    return multiply(expand_dims(ravel(left), 1), ravel(right))


def _as_arrays(*args: ArrayLike) -> Any:
    return with_numbers_as_arrays(args)

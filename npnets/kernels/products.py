"""Matrix products whose results lie in scratch buffers, and take the quickest way that NumPy has for their shapes."""

import numpy as np

from npnets.backend import Array
from npnets.kernels import buffers
from npnets.kernels.buffers import scratch


def product(a: Array, b: Array) -> Array:
    """Return the matrix product of arrays of one dtype; axes before the last two are equal, or one array has none."""
    if type(a) is not np.ndarray:  # CuPy has buffers and a choice of its own
        return np.matmul(a, b)
    rows, columns = a.shape[-2], b.shape[-1]
    is_large = rows * columns * a.itemsize >= buffers.LEAST_BYTES
    if a.ndim == 2 == b.ndim:  # `dot` takes BLAS for one row or column too, and half of the time of `matmul` if small
        return np.dot(a, b, out=scratch(a, (rows, columns))) if is_large else a.dot(b)
    if not is_large:
        return np.matmul(a, b)
    leading = max(a.shape[:-2], b.shape[:-2], key=len)
    return np.matmul(a, b, out=scratch(a, (*leading, rows, columns)))


def outer(a: Array, b: Array) -> Array:
    """Return the outer products of two arrays, `(..., 1, n)` and `(..., 1, m)`: `product` of `a` transposed and `b`.

    NumPy computes a matrix product with one row and leading axes without BLAS, and takes eight times as long for it as
    BLAS with a second row of zeros; small ones are quickest by broadcasting.
    """
    if a.ndim == 2 or type(a) is not np.ndarray:
        return product(a.swapaxes(-1, -2), b)
    if a.shape[-1] * b.shape[-1] < buffers.LEAST_BYTES >> 4:
        return a.swapaxes(-1, -2) * b
    return product(_with_zeros(a).swapaxes(-1, -2), _with_zeros(b))


def _with_zeros(row: Array) -> Array:
    rows = np.zeros((*row.shape[:-2], 2, row.shape[-1]), row.dtype)
    rows[..., :1, :] = row
    return rows

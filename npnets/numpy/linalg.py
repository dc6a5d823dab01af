"""Linear algebra: `npnets.numpy.linalg.norm`."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare
from npnets.backend import Array, namespace
from npnets.numpy.constants import asarray
from npnets.numpy.elementwise import abs, sqrt, square, where
from npnets.numpy.reductions import Axis, max, sum, widened
from npnets.public import listing, nearest_named
from npnets.underflow import ignoring_underflow

__all__ = ["norm"]

__dir__ = listing(__all__)
if not TYPE_CHECKING:  # to a type checker every name would be there
    __getattr__ = nearest_named(__name__, __all__)


@ignoring_underflow
def norm(x: ArrayLike, ord: object = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Euclidean length of vectors and Frobenius norm of matrices, without overflow; its gradient at zero is zero.

    Parameters
    ----------
    x : array
        Integers count as float64.
    ord : None, 2 or "fro"
        Both mean this norm: 2 for vectors, `"fro"` for matrices.
    axis : int, tuple of two int or None
        The axes that make a vector or a matrix; `None` for all of them.
    keepdims : bool
        Whether reduced axes stay with size one.

    Returns
    -------
    array
        `sqrt(sum(x**2))`. Written out like that its gradient at zero is NaN, the product of an infinite slope and a
        zero. The length has no derivative there, and zero is the smallest of its subgradients.

    Raises
    ------
    ValueError
        For another norm, or axes that make neither vectors nor matrices.
    """
    entries: Any = widened(asarray(x))
    _check_euclidean(
        ord, 1 if isinstance(axis, (int, np.integer)) else entries.ndim if axis is None else len(axis), axis
    )
    largest = bare(max(abs(entries), axis, True)) if entries.size else bare(sum(entries, axis, True))
    smallest = np.finfo(largest.dtype).tiny  # whose reciprocal does not overflow
    scale = np.maximum(namespace(largest).where(np.isfinite(largest), largest, largest.dtype.type(1)), smallest)
    squares = sum(square(entries / scale), axis, keepdims)
    is_zero = bare(squares) == 0
    root = where(is_zero, 0, sqrt(where(is_zero, 1, squares)))
    return root * scale.reshape(root.shape)


def _check_euclidean(ord: object, axes: int, axis: Axis) -> None:
    if axis is not None and axes > 2:
        raise ValueError(f"expected one axis that makes vectors, or two that make matrices, but got axis={axis}")
    if ord is not None and ord != {1: 2, 2: "fro"}.get(axes):
        raise ValueError(
            f"expected ord=2 for vectors or ord='fro' for matrices, but got ord={ord!r} for {axes} axes; other norms "
            "are written out, as in npnets.numpy.sum(npnets.numpy.abs(x))"
        )

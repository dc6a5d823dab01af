"""Linear algebra: `npnets.numpy.linalg.norm`."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike

from npnets.autodiff import bare, primitive
from npnets.backend import Array, namespace
from npnets.numpy.constants import asarray
from npnets.numpy.elementwise import abs, square, where
from npnets.numpy.reductions import Axis, kept_shape, max, min, sum, widened
from npnets.numpy.shaping import reshape, squeeze
from npnets.public import listing, nearest_named
from npnets.underflow import ignoring_underflow

__all__ = ["norm"]

__dir__ = listing(__all__)
if not TYPE_CHECKING:  # to a type checker every name would be there
    __getattr__ = nearest_named(__name__, __all__)


def norm(x: ArrayLike, ord: object = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norm of vectors or matrices: the Euclidean length, unless `ord` says otherwise; its gradient at zero is zero.

    Parameters
    ----------
    x : array
        Integers count as float64.
    ord : None, 1, 2, inf, -inf or "fro"
        For vectors: 2 is the length, 1 the sum, `inf` the largest and `-inf` the smallest of the absolute values. For
        matrices: `"fro"` is the length of all entries, 1 and -1 the largest and smallest sum of a column's absolute
        values, `inf` and `-inf` of a row's. `None` is the length of either, and of all entries of more axes.
    axis : int, tuple of two int or None
        The axes that make a vector or a matrix; `None` for all of them.
    keepdims : bool
        Whether reduced axes stay with size one.

    Returns
    -------
    array
        The length neither overflows nor vanishes. Written out as `sqrt(sum(x**2))` its gradient at zero is NaN, the
        product of an infinite slope and a zero. The length has no derivative there, and zero is the smallest of its
        subgradients. The largest and smallest share the gradient of a tie evenly, as `max` and `min` do.

    Raises
    ------
    ValueError
        For another norm, or axes that make neither vectors nor matrices.
    """
    entries: Any = widened(asarray(x))
    axes = normalize_axis_tuple(range(entries.ndim) if axis is None else axis, entries.ndim)
    if axis is not None and len(axes) not in (1, 2):
        raise ValueError(f"expected one axis that makes vectors, or two that make matrices, but got axis={axis}")
    if ord is None or (len(axes) == 1 and ord == 2) or (len(axes) == 2 and ord == "fro"):
        return _length(entries, axis, keepdims)
    kinds = {1: _VECTOR_NORMS, 2: _MATRIX_NORMS}.get(len(axes), {})
    if not isinstance(ord, (int, float, np.number)) or ord not in kinds:
        raise ValueError(
            f"expected ord as None, 1, 2, inf or -inf for vectors, or as None, 1, -1, inf, -inf or 'fro' for matrices, "
            f"but got ord={ord!r} for {len(axes)} axes; others are written out with functions of npnets.numpy"
        )
    summed, extreme = kinds[float(ord)]
    if len(axes) == 1:
        return extreme(abs(entries), axes[0], keepdims)
    sums = sum(abs(entries), axes[summed], True)
    norms = extreme(sums, axes[1 - summed], True)
    return norms if keepdims else squeeze(norms, axes)


_VECTOR_NORMS: dict[float, tuple[int, Any]] = {1: (0, sum), np.inf: (0, max), -np.inf: (0, min)}
_MATRIX_NORMS: dict[float, tuple[int, Any]] = {1: (0, max), -1: (0, min), np.inf: (1, max), -np.inf: (1, min)}
"""By `ord`: which of a matrix's two axes is summed over first, and the reduction over the other one."""


@ignoring_underflow
def _direction(length: Array, x: Any, axis: Axis) -> Array:
    """Return the derivative of lengths by each entry: vectors divided by their length, and zero at zero."""
    entries = x / _scale(bare(length).reshape(kept_shape(x, axis)))
    lengths = _length(entries, axis, True)
    is_zero = bare(lengths) == 0
    return where(is_zero, 0, entries / where(is_zero, 1, lengths))


@primitive(
    vjp=lambda argnum, g, output, args: reshape(g, kept_shape(*args[:2])) * _direction(output, *args[:2]),
    jvp=lambda argnum, tangent, output, args: sum(tangent * _direction(output, *args[:2]), *args[1:]),
)
@ignoring_underflow
def _length(x: Any, axis: Axis, keepdims: bool) -> Array:
    """Return the square root of the sum of squares, of entries that are scaled by the largest first."""
    scale = _scale(max(abs(x), axis, True) if x.size else sum(x, axis, True))
    root = np.sqrt(sum(square(x / scale), axis, keepdims))
    return root * scale.reshape(root.shape)


def _scale(size: Any) -> Array:
    """Return numbers to divide by: sizes, but one in the place of zero and infinity, and none too small to invert."""
    usable = np.isfinite(size) & (size != 0)
    return np.maximum(namespace(size).where(usable, size, size.dtype.type(1)), np.finfo(size.dtype).tiny)

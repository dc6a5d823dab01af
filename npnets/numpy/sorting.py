"""Sorting and taking along an axis: `sort`, `argsort`, `take_along_axis`.

Equal entries keep their order, as in NumPy's stable sort, and NaN comes last. The derivative of a sorted array goes to
the entry that each output is: where entries are equal, to the one that the stable order puts there.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from npnets.autodiff import bare, primitive
from npnets.autodiff.devices import computing_where
from npnets.backend import Array, namespace
from npnets.numpy.constants import asarray
from npnets.numpy.indexing import take
from npnets.numpy.shaping import ravel


def argsort(x: ArrayLike, axis: int | None = -1, kind: str | None = None) -> Array:
    """Return the indices that sort an array along an axis, equal entries in their order; a constant to derivatives.

    Without an axis (`axis=None`) the array counts as one-dimensional. `kind` can be `"stable"`, which is the default.
    """
    _check_kind(kind)
    return _order(asarray(x), axis)


def _order(x: Any, axis: int | None) -> Array:
    with computing_where(x):
        return np.argsort(bare(x), axis, kind="stable")


def _check_kind(kind: object) -> None:
    if kind not in (None, "stable"):
        raise ValueError(f"expected kind='stable', in which derivatives are defined, or none, but got {kind!r}")


def sort(x: ArrayLike, axis: int | None = -1, kind: str | None = None) -> Array:
    """Sort along an axis, from the smallest entry to the largest; with `axis=None`, all entries in one dimension.

    `kind` can be `"stable"`, which is the default.
    """
    _check_kind(kind)
    x = asarray(x)
    if axis is None:
        x, axis = ravel(x), -1
    with computing_where(x):
        return _permuted(x, _order(x, axis), axis)


@primitive(
    vjp=lambda argnum, g, output, args: _permuted(g, _order(args[1], args[2]), args[2]),
    jvp=lambda argnum, tangent, output, args: _permuted(tangent, *args[1:]),
    copies_constants=False,  # nobody else has the order
)
def _permuted(x: Array, order: Array, axis: int) -> Array:
    """Permute the entries along an axis; the inverse permutation is the order of the indices."""
    return x[_index_along(x, order, axis)]


def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Array:
    """Take entries along an axis by an array of indices, as those of `argsort`; derivatives of one taken twice add up.

    Parameters
    ----------
    x : array (..., n, ...)
        With `n` entries along the axis.
    indices : array of int (..., m, ...)
        With as many axes as `x`; negative ones count from the end. The other axes have the sizes of those of `x`, or
        one of both is 1. A constant to every derivative.
    axis : int or None
        With `None` the array counts as one-dimensional, and so must `indices` be.

    Returns
    -------
    array (..., m, ...)

    Raises
    ------
    TypeError
        If the indices are no integers.
    ValueError
        If they have another number of axes.
    IndexError
        If an index is out of bounds; arrays on a GPU are not looked at.
    """
    x, indices = asarray(x), bare(asarray(indices))
    if axis is None:
        x, axis = ravel(x), 0
    _check_indices(indices, x)
    with computing_where(x):
        return take(x, _index_along(x, indices, axis))


def _check_indices(indices: Any, x: Any) -> None:
    if indices.dtype.kind not in "iu":
        raise TypeError(
            f"expected integer indices, but got {indices.dtype}; convert them with astype(int), or select by a mask "
            "with npnets.numpy.where"
        )
    if indices.ndim != x.ndim:
        raise ValueError(
            f"expected indices with {x.ndim} axes, as many as x {x.shape} has, but got shape {indices.shape}; one "
            "index for each row is indices[:, None], and the result has an axis of size one then"
        )


def _index_along(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    """Return the index with which `x[index]` takes `indices` along one axis, and each entry of the other axes."""
    axis, ndim = normalize_axis_index(axis, x.ndim), x.ndim
    xp = namespace(bare(x))
    places = [xp.arange(size).reshape((-1,) + (1,) * (ndim - 1 - one)) for one, size in enumerate(x.shape)]
    return (*places[:axis], indices, *places[axis + 1 :])

"""Indexing and slicing, and its transpose: scattering a cotangent back to where its entries were taken from."""

import operator
from typing import Any

import numpy as np

from npnets.autodiff import bare, is_traced, primitive
from npnets.autodiff.tracing import may_change
from npnets.backend import Array, namespace
from npnets.dtypes import check_plain

_UNCHANGING = (int, np.integer, np.bool_, type(None), type(Ellipsis))


def take(x: Any, index: object) -> Array:
    """Return `x[index]`: any index that NumPy takes; the index is a constant to every derivative."""
    return _take(x, _constant(index))


def _constant(index: Any) -> Any:
    """Return an index that nothing is differentiated through, and that its caller cannot change any more."""
    if isinstance(index, tuple):
        return tuple(map(_constant, index))
    if isinstance(index, list):
        return [_constant(part) for part in index]
    if isinstance(index, slice):
        return slice(
            *[part if part is None else operator.index(part) for part in (index.start, index.stop, index.step)]
        )
    if isinstance(index, _UNCHANGING):
        return index
    if not hasattr(index, "dtype"):  # a buffer, or another sequence
        return np.array(index)
    if is_traced(index):
        return bare(index)
    check_plain(index, "an index")
    return index.copy() if may_change(index) else index


@primitive(
    vjp=lambda argnum, g, output, args: _scatter(g, args[1], args[0].shape),
    jvp=lambda argnum, tangent, output, args: _take(tangent, args[1]),
    one_device=False,  # an index may be NumPy's on every device
    copies_constants=False,  # `_constant` has, in tuples and lists too
)
def _take(x: Array, index: Any) -> Array:
    return x[index]


@primitive(
    vjp=lambda argnum, g, output, args: _take(g, args[1]),
    jvp=lambda argnum, tangent, output, args: _scatter(tangent, args[1], args[2]),
    one_device=False,
    copies_constants=False,
)
def _scatter(g: Array, index: object, shape: tuple[int, ...]) -> Array:
    """Return zeros of a shape, with `g` added at an index; entries that the index names twice are summed."""
    xp = namespace(g)
    scattered = xp.zeros(shape, g.dtype)
    if _names_nothing_twice(index):
        scattered[index] = g
    else:
        xp.add.at(scattered, index, g)
    return scattered


def _names_nothing_twice(index: object) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, (int, np.integer, slice, type(None), type(Ellipsis))) for part in parts)

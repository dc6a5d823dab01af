"""Running sums along an axis."""

from typing import Any

from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from npnets.autodiff import primitive
from npnets.backend import Array, namespace
from npnets.numpy.constants import asarray
from npnets.numpy.shaping import ravel


def cumsum(x: ArrayLike, axis: int | None = None) -> Array:
    """Sum of each entry and those before it along an axis; with `axis=None`, in one dimension."""
    x = asarray(x)
    return _cumsum(ravel(x), 0, False) if axis is None else _cumsum(x, normalize_axis_index(axis, x.ndim), False)


@primitive(
    vjp=lambda argnum, g, output, args: _cumsum(g, args[1], not args[2]),
    jvp=lambda argnum, tangent, output, args: _cumsum(tangent, *args[1:]),
)
def _cumsum(x: Any, axis: int, from_the_end: bool) -> Array:
    if not from_the_end:
        return namespace(x).cumsum(x, axis)
    backwards = (*[slice(None)] * axis, slice(None, None, -1))
    return namespace(x).cumsum(x[backwards], axis)[backwards]

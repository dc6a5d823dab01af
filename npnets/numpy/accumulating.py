"""Running sums and products along an axis, products over axes, and differences of neighbours.

The derivatives of products are those of a composition that multiplies and never divides, so that they are exact where
entries are zero. The values are NumPy's own.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.typing import ArrayLike

from npnets.autodiff import jvp, primitive, vjp
from npnets.backend import Array, namespace
from npnets.numpy.broadcasting import broadcast_to
from npnets.numpy.constants import asarray, not_equal
from npnets.numpy.reductions import Axis, sum
from npnets.numpy.shaping import (
    concatenate,
    expand_dims,
    ravel,
    reshape,
    squeeze,
    transpose,
    with_numbers_as_arrays,
)


def cumsum(x: ArrayLike, axis: int | None = None) -> Array:
    """Sum of each entry and those before it along an axis; with `axis=None`, in one dimension."""
    return _cumsum(*_along(x, axis), False)


def cumprod(x: ArrayLike, axis: int | None = None) -> Array:
    """Product of each entry and those before it along an axis; with `axis=None`, in one dimension.

    Its derivatives are exact where entries are zero.
    """
    return _cumprod(*_along(x, axis))


def prod(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product over axes; its derivatives are exact where entries are zero."""
    x = asarray(x)
    return _prod(x, tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim), bool(keepdims))


def diff(
    x: ArrayLike, n: int = 1, axis: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None
) -> Array:
    """Difference of each entry to the one before it along an axis, `n` times; of booleans, whether they differ.

    `prepend` and `append` are put before the first and behind the last entry: arrays, or numbers.
    """
    x, n = asarray(x), operator.index(n)
    if n < 0:
        raise ValueError(f"expected n, how often differences are taken, as zero or more, but got {n}")
    if not n:
        return x
    axis = normalize_axis_index(axis, x.ndim)
    y: Any = _extended(x, axis, prepend, append)
    for _ in range(n):
        later, earlier = y[_slice(axis, 1, None)], y[_slice(axis, None, -1)]
        y = not_equal(later, earlier) if y.dtype.kind == "b" else later - earlier
    return y


def _along(x: ArrayLike, axis: int | None) -> tuple[Any, int]:
    x = asarray(x)
    return (ravel(x), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim))


def _slice(axis: int, *bounds: int | None) -> tuple[slice, ...]:
    """Return the index that slices one axis."""
    return (*[slice(None)] * axis, slice(*bounds))


# -- running sums -----------------------------------------------------------------------------------------------------


@primitive(
    vjp=lambda argnum, g, output, args: _cumsum(g, args[1], not args[2]),
    jvp=lambda argnum, tangent, output, args: _cumsum(tangent, *args[1:]),
    copies_constants=False,
)
def _cumsum(x: Any, axis: int, from_the_end: bool) -> Array:
    if not from_the_end:
        return namespace(x).cumsum(x, axis)
    backwards = _slice(axis, None, None, -1)
    return namespace(x).cumsum(x[backwards], axis)[backwards]


# -- products ---------------------------------------------------------------------------------------------------------


def _with_derivatives_of(composition: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function of one array differentiable by a composition that computes the same."""
    return primitive(
        vjp=lambda argnum, g, output, args: vjp(lambda x: composition(x, *args[1:]), args[0])[1](g),
        jvp=lambda argnum, tangent, output, args: jvp(lambda x: composition(x, *args[1:]), args[0], tangent)[1],
    )


def _products_of_halves(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Multiply the halves of the entries, then the halves of those products, and so on."""
    others = [axis for axis in range(x.ndim) if axis not in axes]
    shape, count = [x.shape[axis] for axis in others], math.prod([x.shape[axis] for axis in axes])
    y = reshape(transpose(x, (*others, *axes)), (*shape, count))
    while count > 1:
        half, odd = divmod(count, 2)
        pairs = y[..., :half] * y[..., half : 2 * half]
        y, count = concatenate([pairs, y[..., -1:]], -1) if odd else pairs, half + odd
    y = squeeze(y, -1) if count else sum(y, -1) + 1
    return expand_dims(y, axes) if keepdims else y


@_with_derivatives_of(_products_of_halves)
def _prod(x: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    return namespace(x).prod(x, axis=axes, keepdims=keepdims)


def _products_of_spans(x: Any, axis: int) -> Any:
    """Multiply each entry by the one before it, then by what is two before, four before, and so on."""
    span = 1
    while span < x.shape[axis]:
        longer = x[_slice(axis, span, None)] * x[_slice(axis, None, -span)]
        x, span = concatenate([x[_slice(axis, span)], longer], axis), 2 * span
    return x


@_with_derivatives_of(_products_of_spans)
def _cumprod(x: Any, axis: int) -> Array:
    return namespace(x).cumprod(x, axis)


# -- differences ------------------------------------------------------------------------------------------------------


def _extended(x: Any, axis: int, prepend: Any, append: Any) -> Any:
    """Return an array with something put before and behind it along an axis."""
    if prepend is None and append is None:
        return x
    given = [part for part in (prepend, x, append) if part is not None]
    row = tuple([1 if one == axis else size for one, size in enumerate(x.shape)])
    parts = with_numbers_as_arrays(given)
    return concatenate([part if part.ndim else broadcast_to(part, row) for part in parts], axis)

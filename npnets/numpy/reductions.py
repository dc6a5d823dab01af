"""Reductions over axes: `sum`, `mean`, `var`, `std`, `max`, `min`, `logsumexp`, `softmax`.

`axis` is `None` for all axes, a number, or a tuple of numbers; with `keepdims` reduced axes stay with size one. Where
several entries share a maximum or minimum, its derivative is divided evenly among them.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare, primitive
from npnets.backend import Array, namespace
from npnets.numpy.broadcasting import broadcast_to
from npnets.numpy.constants import asarray
from npnets.numpy.elementwise import exp, log, sqrt, square, where
from npnets.numpy.shaping import reshape
from npnets.underflow import ignoring_underflow

Axis: TypeAlias = int | tuple[int, ...] | None
_add_up: Any = np.add.reduce  # whose overloads do not admit an axis of unknown kind


def _reduced_axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    return tuple(one % ndim for one in axes) if ndim else ()  # NumPy takes axis 0 and -1 of a number for no axis


def _reduced_size(x: Array, axis: Axis) -> int:
    if axis is None:
        return x.size
    size = 1
    for one in _reduced_axes(x.ndim, axis):
        size *= x.shape[one]
    return size


def kept_shape(x: Array, axis: Axis) -> tuple[int, ...]:
    """Return the shape of a reduction of `x` that keeps reduced axes with size one."""
    axes = _reduced_axes(x.ndim, axis)
    return tuple([1 if one in axes else size for one, size in enumerate(x.shape)])


def _spread(g: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Repeat a reduction's cotangent over the axes that the reduction of `x` took away."""
    if type(g) in (np.ndarray, np.float32, np.float64):
        if g.size == 1:
            return np.full(x.shape, g.reshape(()), g.dtype)  # a quarter of the time of a broadcast view
        spread = np.empty(x.shape, g.dtype)
        spread[...] = g.reshape(kept_shape(x, axis))
        return spread
    return broadcast_to(reshape(g, kept_shape(x, axis)), x.shape)


@primitive(
    vjp=lambda argnum, g, output, args: _spread(g, *args),
    jvp=lambda argnum, tangent, output, args: sum(tangent, *args[1:]),
)
def sum(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over axes."""
    if type(x) is np.ndarray and x.dtype.char in "fd":  # what NumPy's sum does, in a third of its time
        return _add_up(x, axis=axis, keepdims=keepdims)
    return namespace(x).sum(x, axis=axis, keepdims=keepdims)


@primitive(
    vjp=lambda argnum, g, output, args: _mean_vjp(g, *args),
    jvp=lambda argnum, tangent, output, args: mean(tangent, *args[1:]),
)
def mean(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean over axes."""
    if type(x) is np.ndarray and x.size and x.dtype.char in "fd":  # what NumPy's mean does, in half of its time
        return _add_up(x, axis=axis, keepdims=keepdims) / _reduced_size(x, axis)
    return namespace(x).mean(x, axis=axis, keepdims=keepdims)


def _mean_vjp(g: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return _spread(g / _reduced_size(x, axis), x, axis, keepdims)


def var(x: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Variance over axes, with `ddof` taken from the number of entries that the sum is divided by."""
    x = asarray(x)
    deviations = square(x - mean(x, axis, True))
    size = _reduced_size(x, axis)
    return sum(deviations, axis, keepdims) / (size - ddof if size > ddof else 0)


def std(x: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Standard deviation over axes; where it is zero, its derivative is taken to be zero."""
    variance = var(x, axis, ddof, keepdims)
    spread = bare(variance) != 0
    return where(spread, sqrt(where(spread, variance, 1)), bare(variance))


def _chosen(x: Array, output: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the derivative of a maximum or minimum by each entry: zero, or one over the number of equal ones."""
    chosen = (bare(x) == bare(output).reshape(kept_shape(x, axis))).astype(output.dtype)
    return chosen / chosen.sum(axis=axis, keepdims=True)


def _choice_vjp(g: Array, output: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return g.reshape(kept_shape(x, axis)) * _chosen(x, output, axis)


def _choice_jvp(tangent: Array, output: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return sum(tangent * _chosen(x, output, axis, keepdims), axis, keepdims)


_choice = primitive(
    vjp=lambda argnum, g, output, args: _choice_vjp(g, output, *args),
    jvp=lambda argnum, tangent, output, args: _choice_jvp(tangent, output, *args),
)


@_choice
def max(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest entry over axes."""
    return namespace(x).max(x, axis=axis, keepdims=keepdims)


@_choice
def min(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest entry over axes."""
    return namespace(x).min(x, axis=axis, keepdims=keepdims)


@ignoring_underflow
def logsumexp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """`log(sum(exp(x)))` over axes, without overflow; minus infinity, with gradient zero, where every entry is."""
    x = widened(asarray(x))
    largest = bare(max(x, axis, True) if _reduced_size(x, axis) else sum(x, axis, True))
    shift = np.where(np.isfinite(largest), largest, 0)
    total = sum(exp(x - shift), axis, keepdims)
    nothing = bare(total) == 0
    return where(nothing, -np.inf, log(where(nothing, 1, total))) + reshape(shift, total.shape)


@ignoring_underflow
def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """`exp(x)` divided by its sum along an axis, without overflow."""
    x = widened(asarray(x))
    powers = exp(x - bare(max(x, axis, True)))
    return powers / sum(powers, axis, True)


def widened(x: Array) -> Array:
    """Return integers as float64: differences of small ones wrap, and NumPy takes their exponentials in float16."""
    return x.astype(np.float64) if x.dtype.kind in "biu" else x

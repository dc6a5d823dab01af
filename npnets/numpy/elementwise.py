"""Elementwise functions of one, two and three arrays, each with its partial derivatives.

A partial derivative is written in terms of the output and the arguments. Derivatives are taken from the output where
that is cheaper or does not overflow: `tanh` by `1 - y * y`, never by `cosh`. Where two arguments are equal, `maximum`
and `minimum` share the derivative between them; `clip` passes it on at the bounds; these are PyTorch's conventions.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare, is_traced, primitive
from npnets.backend import Array, namespace, special
from npnets.dtypes import check_plain
from npnets.numpy.broadcasting import astype, like_argument, like_output
from npnets.numpy.constants import asarray
from npnets.numpy.operands import operands

_ONE = 1
F = TypeVar("F", bound=Callable[..., Any])


def elementwise(*partials: object) -> Callable[[F], F]:
    """Make an elementwise function differentiable.

    `partials[i]` is its derivative by argument `i`: a number, or a callable of the output and the arguments.
    """

    def scaled(argnum: int, g: Array, output: Array, args: object) -> Array:
        partial = partials[argnum]
        factor = partial(output, *_in_dtype_of(output, args)) if callable(partial) else partial
        return g if factor is _ONE else g * factor

    differentiable = primitive(
        vjp=lambda argnum, g, output, args: like_argument(scaled(argnum, g, output, args), args[argnum]),
        jvp=lambda argnum, tangent, output, args: like_output(scaled(argnum, tangent, output, args), output),
        copies_constants=any(map(callable, partials)),
    )
    return differentiable if len(partials) == 1 else lambda forward: _of_operands(differentiable(forward))


def _in_dtype_of(output: Any, args: Any) -> Any:
    """Return arguments in the dtype of the output: a slope such as `1 / y` must not be rounded to a narrower one's."""
    dtype = output.dtype
    if all([getattr(arg, "dtype", dtype) == dtype for arg in args]):
        return args
    return [arg if getattr(arg, "dtype", dtype) == dtype else astype(arg, dtype) for arg in args]


def _of_operands(operation: F) -> F:
    """Let an operation of several arrays take sequences, and NumPy's scalars without their dtype."""
    parameters = inspect.signature(operation)

    @functools.wraps(operation)
    def of_operands(*args: object, **named: object) -> Array:
        return operation(*operands(parameters.bind(*args, **named).args if named else args))

    return cast(F, of_operands)


# -- one argument -----------------------------------------------------------------------------------------------------


@elementwise(-1)
def negative(x: ArrayLike) -> Array:
    """Negate each entry."""
    return np.negative(x)


@elementwise(lambda output, x: output)
def exp(x: ArrayLike) -> Array:
    """Exponential of each entry."""
    return np.exp(x)


@elementwise(lambda output, x: exp(x))
def expm1(x: ArrayLike) -> Array:
    """`exp(x) - 1` of each entry, exact near zero."""
    return np.expm1(x)


@elementwise(lambda output, x: 1 / x)
def log(x: ArrayLike) -> Array:
    """Natural logarithm of each entry."""
    return np.log(x)


@elementwise(lambda output, x: 1 / (1 + x))
def log1p(x: ArrayLike) -> Array:
    """`log(1 + x)` of each entry, exact near zero."""
    return np.log1p(x)


@elementwise(lambda output, x: 1 - output * output)
def tanh(x: ArrayLike) -> Array:
    """Hyperbolic tangent of each entry."""
    return np.tanh(x)


@elementwise(lambda output, x: 0.5 / output)
def sqrt(x: ArrayLike) -> Array:
    """Square root of each entry."""
    return np.sqrt(x)


@elementwise(lambda output, x: 2 * x)
def square(x: ArrayLike) -> Array:
    """Square of each entry."""
    return np.square(x)


@elementwise(lambda output, x: np.sign(bare(x)))
def abs(x: ArrayLike) -> Array:
    """Absolute value of each entry; its derivative at zero is zero."""
    return np.abs(x)


@elementwise(lambda output, x: (2 / np.pi**0.5) * exp(-x * x))
def erf(x: ArrayLike) -> Array:
    """Error function of each entry (SciPy's, or CuPy's on a GPU)."""
    y = special(x).erf(x)
    dtype = getattr(x, "dtype", y.dtype)
    if y.dtype == dtype:
        return y
    # SciPy widens float16, and takes small integers in float32
    return y.astype(dtype) if dtype.kind == "f" else special(x).erf(namespace(x).asarray(x, np.float64))


# -- two arguments ----------------------------------------------------------------------------------------------------


@elementwise(_ONE, _ONE)
def add(x: ArrayLike, y: ArrayLike) -> Array:
    """`x + y`, broadcast."""
    return np.add(x, y)


@elementwise(_ONE, -1)
def subtract(x: ArrayLike, y: ArrayLike) -> Array:
    """`x - y`, broadcast."""
    return np.subtract(x, y)


@elementwise(lambda output, x, y: y, lambda output, x, y: x)
def multiply(x: ArrayLike, y: ArrayLike) -> Array:
    """`x * y`, broadcast."""
    return np.multiply(x, y)


@elementwise(lambda output, x, y: _reciprocal(y), lambda output, x, y: -output / y)
def divide(x: ArrayLike, y: ArrayLike) -> Array:
    """`x / y`, broadcast."""
    return np.divide(x, y)


@elementwise(
    lambda output, x, y: y * power(x, _one_less(x, y)),
    lambda output, x, y: output * log(where(bare(x) == 0, 1, x)),
)
def power(x: ArrayLike, y: ArrayLike) -> Array:
    """`x ** y`, broadcast."""
    return np.power(x, y)


def _reciprocal(y: Array | float) -> Array | float:
    return math.copysign(math.inf, y) if isinstance(y, (int, float)) and y == 0 else 1 / y  # Python's would raise


def _one_less(x: Array | float, y: Array | float) -> Array | float:
    """Return `y - 1`, or one where `y` is zero and `1 / x` infinite, so that zero times that is zero and not NaN.

    Elsewhere it must be `y - 1` as a function, and not only in its value: `y * x ** (y - 1)` is differentiated by `y`.
    """
    if isinstance(y, (int, float)):
        return y - 1 if y else 1
    return where((np.abs(bare(x)) <= _largest_pole(x)) & (bare(y) == 0), 1, y - 1)


def _largest_pole(x: Array | float) -> float:
    """Return the largest number of the dtype of `x` whose reciprocal overflows, roughly."""
    dtype = getattr(bare(x), "dtype", np.dtype(float))
    return 1 / float(np.finfo(dtype).max) if dtype.kind == "f" else 0.0


@elementwise(lambda output, x, y: _larger(x, y, output), lambda output, x, y: _larger(y, x, output))
def maximum(x: ArrayLike, y: ArrayLike) -> Array:
    """The larger of two entries, broadcast; NaN if either is."""
    return np.maximum(x, y)


@elementwise(lambda output, x, y: _larger(y, x, output), lambda output, x, y: _larger(x, y, output))
def minimum(x: ArrayLike, y: ArrayLike) -> Array:
    """The smaller of two entries, broadcast; NaN if either is."""
    return np.minimum(x, y)


def _larger(x: Array | float, y: Array | float, output: Array) -> Array:
    """Return one where `x > y`, a half where they are equal, else zero."""
    dtype = output.dtype
    return ((bare(x) > bare(y)).astype(dtype) + (bare(x) >= bare(y)).astype(dtype)) * dtype.type(0.5)


# -- three arguments --------------------------------------------------------------------------------------------------


def clip(
    x: ArrayLike,
    a_min: ArrayLike | None = None,
    a_max: ArrayLike | None = None,
    *,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
) -> Array:
    """Limit each entry to `[a_min, a_max]`, also called `min` and `max`; either bound may be `None`.

    The bounds are constants: for bounds that have derivatives themselves use `minimum` and `maximum`.
    """
    if (a_min is not None or a_max is not None) and (min is not None or max is not None):
        raise ValueError("expected the bounds as a_min and a_max or as min and max, not as both; leave out one pair")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if is_traced(low) or is_traced(high):
        raise TypeError("clip takes its bounds for constants; use minimum(maximum(x, low), high) to differentiate them")
    clipped, low, high = operands((x, low, high))
    return _clip(clipped if hasattr(clipped, "dtype") else _number_between(clipped, low, high), low, high)


def _number_between(x: float, low: Array | float | None, high: Array | float | None) -> Array:
    """Return a number as an array of the dtype and on the device of its bounds."""
    given = [value for value in (x, low, high) if value is not None]
    xp = next((owner for owner in map(namespace, given) if owner is not np), np)
    array: Array = xp.asarray(x, np.result_type(*[getattr(value, "dtype", value) for value in given]))
    return array


@elementwise(lambda output, x, low, high: _within(bare(x), low, high).astype(output.dtype))
def _clip(x: Array, low: Array | float | None, high: Array | float | None) -> Array:
    return namespace(x).clip(x, low, high)


def _within(x: Array, low: Array | float | None, high: Array | float | None) -> Array:
    above = x == x if low is None else x >= low
    return above if high is None else above & (x <= high)


def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Array:
    """Take the entries of `x` where a condition holds, else those of `y`; broadcast."""
    if x is None or y is None:
        raise TypeError("expected arrays or numbers to take entries from, but got None; was a return forgotten?")
    x, y = operands((x, y))
    condition = bare(condition if hasattr(condition, "dtype") else asarray(condition))
    check_plain(condition, "a condition")
    return _where(condition, x, y)


@primitive(
    vjp=lambda argnum, g, output, args: like_argument(_selected(argnum, g, args[0]), args[argnum]),
    jvp=lambda argnum, tangent, output, args: like_output(_selected(argnum, tangent, args[0]), output),
)
def _where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Array:
    return np.where(condition, x, y)


def _selected(argnum: int, g: Array, condition: Array) -> Array:
    """Take a cotangent or tangent where the argument was taken, zero elsewhere: even where it is not finite."""
    return where(condition, g, 0) if argnum == 1 else where(condition, 0, g)


def nan_to_num(
    x: ArrayLike, *, nan: ArrayLike = 0.0, posinf: ArrayLike | None = None, neginf: ArrayLike | None = None
) -> Array:
    """Replace NaN and infinities, which then have derivative zero; infinities by the dtype's largest and smallest.

    The result has the shape and dtype of `x`. An infinity or NaN that arithmetic before has turned into a slope still
    makes a gradient NaN: see `masked_sum`.
    """
    x = asarray(x)
    if x.dtype.kind != "f":
        return x.copy()
    values, largest = bare(x), float(np.finfo(x.dtype).max)
    y = where(np.isnan(values), nan, x)
    y = where(values == np.inf, largest if posinf is None else posinf, y)
    y = where(values == -np.inf, -largest if neginf is None else neginf, y)
    if y.shape != x.shape:
        raise ValueError(f"nan, posinf and neginf must broadcast to {x.shape}, the shape of x, and not to {y.shape}")
    return y if y.dtype == x.dtype else astype(y, x.dtype)

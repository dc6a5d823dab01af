"""Functions whose outputs are constants to every derivative: making arrays, comparing, reading shapes, rounding."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from npnets.autodiff import bare, is_traced
from npnets.autodiff.devices import computing_where
from npnets.backend import Array, namespace
from npnets.dtypes import check_plain
from npnets.numpy.broadcasting import astype
from npnets.numpy.shaping import holds_arrays_to_stack, stack

F = TypeVar("F", bound=Callable[..., Any])


def _constant(function: F) -> F:
    """Return a function of NumPy's that also takes traced arrays, by their values."""

    @functools.wraps(function)
    def of_bare(*args: object, **kwargs: object) -> Array:
        given = [bare(arg) for arg in args]
        with computing_where(next((arg for arg in given if hasattr(arg, "dtype")), None)):
            return function(*given, **{key: bare(value) for key, value in kwargs.items()})

    of_bare.__doc__ = f"As `numpy.{function.__name__}`; a constant to every derivative."
    return cast(F, of_bare)


argmax, argmin = _constant(np.argmax), _constant(np.argmin)
all, any = _constant(np.all), _constant(np.any)
isfinite, isnan, isinf = _constant(np.isfinite), _constant(np.isnan), _constant(np.isinf)
equal, not_equal = _constant(np.equal), _constant(np.not_equal)
less, less_equal = _constant(np.less), _constant(np.less_equal)
greater, greater_equal = _constant(np.greater), _constant(np.greater_equal)
logical_and, logical_or, logical_not = _constant(np.logical_and), _constant(np.logical_or), _constant(np.logical_not)
sign, floor, ceil, rint = _constant(np.sign), _constant(np.floor), _constant(np.ceil), _constant(np.rint)
zeros_like, ones_like = _constant(np.zeros_like), _constant(np.ones_like)
shape, ndim, size = _constant(np.shape), _constant(np.ndim), _constant(np.size)

zeros, ones, full, empty, eye = np.zeros, np.ones, np.full, np.empty, np.eye
arange, linspace = np.arange, np.linspace


def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: DTypeLike | None = None) -> Array:
    """As `numpy.full_like`; a constant to every derivative."""
    if is_traced(fill_value):
        raise TypeError("full_like takes its value for a constant; use zeros_like(x) + value to differentiate it")
    with computing_where(x):
        return np.full_like(bare(x), fill_value, dtype)


def asarray(x: Any, dtype: DTypeLike | None = None) -> Array:
    """Make an array of numbers, of nested sequences of them, or of a sequence of arrays, traced ones too."""
    if is_traced(x):
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)
    if holds_arrays_to_stack(x):
        stacked = stack(x)
        return stacked if dtype is None or stacked.dtype == dtype else stacked.astype(dtype)
    if namespace(x) is np:
        check_plain(x, "an argument")
        return np.asarray(x, dtype)
    return x if dtype is None or x.dtype == dtype else astype(x, dtype)


def array(x: object, dtype: DTypeLike | None = None) -> Array:
    """Make an array as `asarray` does, and always a new one."""
    made = asarray(x, dtype)
    with computing_where(made):
        return made if is_traced(made) else made.copy()

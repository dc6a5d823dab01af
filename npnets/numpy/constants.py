"""Functions whose answers are constants to every derivative: making arrays, comparing, asking, rounding."""

import builtins
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from npnets.autodiff import bare, is_traced
from npnets.backend import current_device, namespace
from npnets.dtypes import require_plain
from npnets.numpy.broadcasting import astype
from npnets.numpy.shaping import stack


def _constant(name: str) -> Callable[..., Any]:
    """Return NumPy's function of this name for traced arrays too, whose values it takes."""
    function = getattr(np, name)

    @functools.wraps(function)
    def of_bare(*args: Any, **kwargs: Any) -> Any:
        given = [bare(arg) for arg in args]
        with current_device(given[0] if given else None):
            return function(*given, **{key: bare(value) for key, value in kwargs.items()})

    of_bare.__doc__ = f"As `numpy.{name}`; a constant to every derivative."
    return of_bare


argmax, argmin, argsort = _constant("argmax"), _constant("argmin"), _constant("argsort")
all, any = _constant("all"), _constant("any")
isfinite, isnan, isinf = _constant("isfinite"), _constant("isnan"), _constant("isinf")
equal, not_equal = _constant("equal"), _constant("not_equal")
less, less_equal = _constant("less"), _constant("less_equal")
greater, greater_equal = _constant("greater"), _constant("greater_equal")
logical_and, logical_or, logical_not = _constant("logical_and"), _constant("logical_or"), _constant("logical_not")
sign, floor, ceil, rint = _constant("sign"), _constant("floor"), _constant("ceil"), _constant("rint")
zeros_like, ones_like = _constant("zeros_like"), _constant("ones_like")
shape, ndim, size = _constant("shape"), _constant("ndim"), _constant("size")

zeros, ones, full, empty, eye = np.zeros, np.ones, np.full, np.empty, np.eye
arange, linspace = np.arange, np.linspace


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """As `numpy.full_like`; a constant to every derivative."""
    if is_traced(fill_value):
        raise TypeError("full_like takes its value for a constant; use zeros_like(x) + value to differentiate it")
    with current_device(bare(x)):
        return np.full_like(bare(x), fill_value, dtype)


def asarray(x: Any, dtype: Any = None) -> Any:
    """Make an array of numbers, of nested sequences of them, or of a sequence of arrays, traced ones too."""
    if is_traced(x):
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)
    if isinstance(x, (list, tuple)) and _holds_arrays_to_stack(x):
        stacked = stack([asarray(part) if isinstance(part, (list, tuple)) else part for part in x])
        return stacked if dtype is None or stacked.dtype == dtype else stacked.astype(dtype)
    if namespace(x) is np:
        require_plain(x, "an argument")
        return np.asarray(x, dtype)
    return x if dtype is None or x.dtype == dtype else astype(x, dtype)


def _holds_arrays_to_stack(x: Any) -> bool:
    """Tell whether nested sequences hold an array that NumPy cannot put into one of its own."""
    if isinstance(x, (list, tuple)):
        return builtins.any(map(_holds_arrays_to_stack, x))
    return is_traced(x) or namespace(x) is not np


def array(x: Any, dtype: Any = None) -> Any:
    """Make an array as `asarray` does, and always a new one."""
    made = asarray(x, dtype)
    with current_device(bare(made)):
        return made if is_traced(made) else made.copy()

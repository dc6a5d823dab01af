"""Operands of elementwise functions: sequences and buffers count as arrays, NumPy's scalars as Python's numbers.

NumPy lets its own scalars promote: `numpy.float64(2) * x` is float64 for an `x` of float32, `2.0 * x` is not. Which of
the two a setting was written as must not change the dtype that a network computes in.
"""

from typing import Any

import numpy as np

from npnets.autodiff import Traced, bare, is_traced
from npnets.backend import loaded_cupy
from npnets.dtypes import check_plain
from npnets.numpy.constants import asarray
from npnets.numpy.shaping import with_numbers_in_dtype

_AS_THEY_ARE = (Traced, np.ndarray, float, int, bool, type(None))


def operands(args: tuple[object, ...]) -> tuple[Any, ...]:
    """Return operands with sequences made arrays, and NumPy's scalars beside floating-point arrays made numbers."""
    for arg in args:
        if type(arg) not in _AS_THEY_ARE:
            break
    else:
        return args
    for arg in args:
        check_plain(arg, "an operand")
    typed = with_numbers_in_dtype(args)
    found = [arg if type(arg) in _AS_THEY_ARE or hasattr(arg, "dtype") else _as_array(arg) for arg in typed]
    if any(map(_is_floating_array, found)):
        found = [_as_number(arg) for arg in found]
    return tuple(found)


def _as_array(x: object) -> object:
    """Return a sequence, a buffer or another object that NumPy takes for an array as one; a number as it is."""
    return x if isinstance(x, (int, float, complex)) else asarray(x)


def _is_floating_array(x: object) -> bool:
    is_array = is_traced(x) or isinstance(x, np.ndarray) or (loaded_cupy() is not None and hasattr(x, "device"))
    return is_array and getattr(bare(x), "dtype", np.dtype(float)).kind == "f"


def _as_number(x: object) -> object:
    return x.item() if isinstance(x, np.generic) and x.dtype.kind in "iuf" else x

"""The names of the stand-in with their parameters: the table for its calls and for the check against CuPy.

A name that CuPy lacks is not in the table, and so not in the stand-in. `tests/backend/test_cupy_signatures.py` compares
the table with the real package. A parameter of CuPy that nobody needs may be omitted, and is then an error.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

FUNCTIONS = {
    # new arrays
    "zeros": "(shape, dtype=float, order='C')",
    "ones": "(shape, dtype=float, order='C')",
    "full": "(shape, fill_value, dtype=None, order='C')",
    "empty": "(shape, dtype=float, order='C')",
    "eye": "(N, M=None, k=0, dtype=float, order='C')",
    "arange": "(start, stop=None, step=1, dtype=None)",
    "linspace": "(start, stop, num=50, endpoint=True, *, dtype=None)",
    "zeros_like": "(a, dtype=None, order='K', subok=None, shape=None)",
    "ones_like": "(a, dtype=None, order='K', subok=None, shape=None)",
    "full_like": "(a, fill_value, dtype=None, order='K', subok=None, shape=None)",
    "empty_like": "(prototype, dtype=None, order='K', subok=None, shape=None)",
    "asarray": "(a, dtype=None, order=None, *, copy=None, blocking=False)",
    "array": "(obj, dtype=None, copy=True, order='K', subok=False, ndmin=0, *, blocking=False)",
    "asnumpy": "(a, stream=None, order='C', out=None, *, blocking=True)",
    "copy": "(a, order='K')",
    # views, where the memory allows it
    "expand_dims": "(a, axis)",
    "squeeze": "(a, axis=None)",
    "reshape": "(a, newshape, order='C', *, copy=None)",
    "ravel": "(a, order='C')",
    "transpose": "(a, axes=None)",
    "swapaxes": "(a, axis1, axis2)",
    "moveaxis": "(a, source, destination)",
    "broadcast_to": "(array, shape)",
    "diagonal": "(a, offset=0, axis1=0, axis2=1)",
    # joining, repeating, choosing
    "concatenate": "(tup, axis=0, out=None, *, dtype=None, casting='same_kind')",
    "stack": "(tup, axis=0, out=None, *, dtype=None, casting='same_kind')",
    "repeat": "(a, repeats, axis=None)",
    "tile": "(A, reps)",
    "roll": "(a, shift, axis=None)",
    "where": "(condition, x=None, y=None)",
    "clip": "(a, a_min, a_max, out=None)",
    "take": "(a, indices, axis=None, out=None)",
    "argsort": "(a, axis=-1, kind=None)",
    "sort": "(a, axis=-1, kind=None)",
    "flip": "(a, axis=None)",
    # products
    "matmul": (
        "(*args, axes=None, axis=None, keepdims=False, casting='same_kind', dtype=None, signature=None, order='K', "
        "out=None)"
    ),
    "vdot": "(a, b)",
    "dot": "(a, b, out=None)",
    "outer": "(a, b, out=None)",
    # reductions
    "sum": "(a, axis=None, dtype=None, out=None, keepdims=False)",
    "prod": "(a, axis=None, dtype=None, out=None, keepdims=False)",
    "mean": "(a, axis=None, dtype=None, out=None, keepdims=False)",
    "var": "(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
    "std": "(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
    "max": "(a, axis=None, out=None, keepdims=False)",
    "min": "(a, axis=None, out=None, keepdims=False)",
    "amax": "(a, axis=None, out=None, keepdims=False)",
    "amin": "(a, axis=None, out=None, keepdims=False)",
    "any": "(a, axis=None, out=None, keepdims=False)",
    "all": "(a, axis=None, out=None, keepdims=False)",
    "argmax": "(a, axis=None, dtype=None, out=None, keepdims=False)",
    "argmin": "(a, axis=None, dtype=None, out=None, keepdims=False)",
    "cumsum": "(a, axis=None, dtype=None, out=None)",
    "cumprod": "(a, axis=None, dtype=None, out=None)",
    # questions
    "shape": "(a)",
    "ndim": "(a)",
    "size": "(a, axis=None)",
}

UFUNC_PARAMETERS = "out=None, *, casting='same_kind', dtype=None)"
ONE_ARGUMENT = (
    "isfinite isnan isinf logical_not sign floor ceil rint abs absolute negative positive exp expm1 log log1p tanh "
    "sqrt square sin cos reciprocal invert"
)
TWO_ARGUMENTS = (
    "add subtract multiply divide true_divide floor_divide remainder power maximum minimum equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor arctan2"
)
UFUNCS = dict.fromkeys(ONE_ARGUMENT.split(), 1) | dict.fromkeys(TWO_ARGUMENTS.split(), 2)
SPECIAL = {"erf": 1, "expit": 1, "ndtr": 1, "erfcx": 1}

METHODS = {  # those that call the function of their name; `arrays.py` has the others
    "ravel": "(order='C')",
    "swapaxes": "(axis1, axis2)",
    "squeeze": "(axis=None)",
    "repeat": "(repeats, axis=None)",
    "take": "(indices, axis=None, out=None)",
    "sum": "(axis=None, dtype=None, out=None, keepdims=False)",
    "mean": "(axis=None, dtype=None, out=None, keepdims=False)",
    "var": "(axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
    "std": "(axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
    "max": "(axis=None, out=None, keepdims=False)",
    "min": "(axis=None, out=None, keepdims=False)",
    "any": "(axis=None, out=None, keepdims=False)",
    "all": "(axis=None, out=None, keepdims=False)",
    "argmax": "(axis=None, out=None, dtype=None, keepdims=False)",
    "argmin": "(axis=None, out=None, dtype=None, keepdims=False)",
    "argsort": "(axis=-1, kind=None)",
    "cumsum": "(axis=None, dtype=None, out=None)",
}

KERNEL_OPTIONS = ("options", "loop_prep", "after_loop")

_DTYPES = "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 dtype generic number integer"
CONSTANTS: dict[str, Any] = {name: getattr(np, name) for name in f"{_DTYPES} floating finfo iinfo".split()}
CONSTANTS |= {"newaxis": None, "pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


def signature(parameters: str) -> inspect.Signature:
    """Return the parameters that a string stands for."""
    return inspect.signature(eval(f"lambda {parameters[1:-1]}: None"))


def ufunc_signature(inputs: int) -> str:
    """Return the parameters of an elementwise function of one or two arrays."""
    names = "x" if inputs == 1 else ", ".join(f"x{number + 1}" for number in range(inputs))
    return f"({names}, /, {UFUNC_PARAMETERS}"

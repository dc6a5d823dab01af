"""The array's operators: whose method computes `x op y` when only one of them is the stand-in's.

CuPy's rules, which are NEP 13's with one addition. For `x op y` with a foreign `y`: `y` computes it if it has
`__array_ufunc__ = None`, or no `__array_ufunc__` and a higher `__array_priority__`; else NumPy's function is called,
which consults `__array_ufunc__` of both sides. The reflected operator comes last and computes at once, as does an
operator in place, which writes into the array's own memory. Only `@` never calls NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from standin_cupy.arrays import ndarray
from standin_cupy.modules import cupy

_ARITHMETIC = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _defers(x: Any, y: Any) -> bool:
    """Return whether `x op y` is left to `y`'s reflected operator."""
    if hasattr(y, "__array_ufunc__"):
        return y.__array_ufunc__ is None
    return bool(x.__array_priority__ < getattr(y, "__array_priority__", 0))


def _forward(name: str) -> Callable[[Any, Any], Any]:
    def operator(x: Any, y: Any) -> Any:
        if isinstance(y, ndarray):
            return getattr(cupy, name)(x, y)
        return NotImplemented if _defers(x, y) else getattr(np, name)(x, y)

    return operator


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: getattr(cupy, name)(y, x)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: getattr(cupy, name)(x, y, x)


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(cupy, name)(x)


def _matmul(x: Any, y: Any) -> Any:
    if not isinstance(y, ndarray) and _defers(x, y):
        return NotImplemented
    return cupy.matmul(x, y)


def _install() -> None:
    for name, function in _ARITHMETIC.items():
        setattr(ndarray, f"__{name}__", _forward(function))
        setattr(ndarray, f"__r{name}__", _reflected(function))
        setattr(ndarray, f"__i{name}__", _in_place(function))
    for name, function in _COMPARISONS.items():
        setattr(ndarray, f"__{name}__", _forward(function))
    for name, function in _UNARY.items():
        setattr(ndarray, f"__{name}__", _unary(function))
    ndarray.__matmul__ = _matmul  # type: ignore[attr-defined]
    ndarray.__rmatmul__ = lambda x, y: cupy.matmul(y, x)  # type: ignore[attr-defined]


_install()

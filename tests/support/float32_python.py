"""Exported Python files in float32, in which most boards with MicroPython compute, emulated in this process."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

Number = np.float32


class _Literals(ast.NodeTransformer):
    """Makes every literal with a point a float32."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:  # noqa: N802
        if not isinstance(node.value, float):
            return node
        return ast.Call(ast.Name("float", ast.Load()), [node], [])


def loaded_in_float32(text: str) -> dict[str, Any]:
    """Return the names of an exported file whose numbers, sums and functions are those of float32."""
    tree = ast.fix_missing_locations(_Literals().visit(ast.parse(text)))
    names: dict[str, Any] = {"__name__": "policy", "float": Number, "sum": _sum}
    exec(compile(tree, "policy.py", "exec"), names)
    functions = {name: _rounded(getattr(math, name)) for name in ("cos", "erfc", "exp", "expm1", "log", "sqrt", "tanh")}
    names["math"] = SimpleNamespace(**functions, pi=Number(math.pi))
    return names


def _sum(values: Iterable[Any]) -> Any:
    total = Number(0)
    for value in values:
        total = total + Number(value)
    return total


def _rounded(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """Return a function of MicroPython's `math`: an infinite result of a finite number is an error."""

    def in_float32(x: Any) -> Any:
        with np.errstate(over="ignore"):
            y = Number(function(float(x)))
        if np.isinf(y) and not np.isinf(x):
            raise ValueError("math domain error")
        return y

    return in_float32

"""The functions of single numbers in C: activations and what operations share, each written into a file that calls it.

Comparisons are such that NaN comes out where NaN goes in, as in npnets.
"""

import re
from typing import NamedTuple

from npnets.export.c.layout import Place
from npnets.export.c.literals import literal
from npnets.export.program import Activate


class Function(NamedTuple):
    """A function of C: its arguments after `z`, and its body, in which `@name` calls another one of this file.

    One on vectors has a head of its own in place of arguments.
    """

    arguments: tuple[str, ...]
    body: str
    comment: str = ""
    head: str = ""


FUNCTIONS = {
    "clip": Function(
        ("low", "high"),
        """
const float raised = z < low ? low : z;
return raised > high ? high : raised;
""",
    ),
    "relu": Function((), "return z <= 0.0f ? 0.0f : z;"),
    "leaky_relu": Function(("slope",), "return z > 0.0f ? z : z * slope;"),
    "tanh": Function(
        (),
        """
const float x = @clip(z, -9.02f, 9.02f);
const float u = x * x;
const float p = 1.0f + u * (0.133797184f + u * (0.00349403509f + u * (2.05834898e-05f + u * 1.33190833e-08f)));
const float q = 1.0f + u * (0.467130336f + u * (0.0258710752f + u * (3.28309369e-04f + u * 7.76202418e-07f)));
return @clip(x * p / q, -1.0f, 1.0f);
""",
        "The hyperbolic tangent to 5e-7, as a quotient of polynomials, which is faster than that of <math.h>.",
    ),
    "sigmoid": Function((), "return 1.0f / (1.0f + expf(-z));"),
    "silu": Function((), "return z / (1.0f + expf(-z));"),
    "softplus": Function(
        ("beta", "threshold"),
        """
const float s = z * beta;
return s > threshold ? z : (log1pf(expf(-fabsf(s))) + (s > 0.0f ? s : 0.0f)) / beta;
""",
    ),
    "elu": Function(("alpha",), "return z > 0.0f ? z : alpha * expm1f(z);"),
    "selu": Function((), "return z > 0.0f ? 1.05070099f * z : 1.75809934f * expm1f(z);"),
    "celu": Function(("alpha",), "return z > 0.0f ? z : alpha * expm1f(z / alpha);"),
    "softsign": Function((), "return z / (1.0f + fabsf(z));"),
    "mish": Function(
        (),
        """
const float e = expf(-fabsf(z));
const float n = z < 0.0f ? e * (e + 2.0f) : 1.0f + 2.0f * e;
return z * (n / (n + (z < 0.0f ? 2.0f : 2.0f * e * e)));
""",
        "z * tanh(log(1 + exp(z))), without a power that overflows.",
    ),
    "logsigmoid": Function((), "return (z < 0.0f ? z : 0.0f) - log1pf(expf(-fabsf(z)));"),
    "relu6": Function((), "return @clip(z, 0.0f, 6.0f);"),
    "hardtanh": Function(("low", "high"), "return @clip(z, low, high);"),
    "hardsigmoid": Function((), "return @clip((z + 3.0f) / 6.0f, 0.0f, 1.0f);"),
    "hardswish": Function((), "return z * @hardsigmoid(z);"),
    "gelu": Function((), "return 0.5f * z * erfcf(z * -0.707106781f);"),
    "gelu_tanh": Function((), "return z / (1.0f + expf(-1.59576912f * z * (1.0f + 0.044715f * z * z)));"),
    "clipped_exp": Function(("low", "high"), "return expf(@clip(z, low, high));"),
    "exp": Function((), "return expf(z);"),
    "cos": Function((), "return cosf(z);"),
    "lstm": Function(
        (),
        """
for (int j = 0; j < size; j++) {
    const float input_gate = @sigmoid(gates[j]);
    const float forget_gate = @sigmoid(gates[size + j]);
    const float next_cell = forget_gate * cell[j] + input_gate * @tanh(gates[2 * size + j]);
    new_hidden[j] = @sigmoid(gates[3 * size + j]) * @tanh(next_cell);
    new_cell[j] = next_cell;
}
""",
        "The states of a layer of an LSTM after a step.",
        "void @lstm(int size, const float *gates, const float *cell, float *new_hidden, float *new_cell)",
    ),
}
"""By the names of npnets' activations, with `"gelu_tanh"` for gelu's approximation, and `"clip"`.

A function stands behind those that it calls.
"""


class Functions:
    """The functions that a file uses.

    Parameters
    ----------
    prefix : str
        What the name of every function begins with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.used: set[str] = set()

    def call(self, name: str, *arguments: str) -> str:
        """Return the expression that calls a function."""
        self._use(name)
        return f"{self.prefix}_{name}({', '.join(arguments)})"

    def call_on_vectors(self, name: str, size: int, *places: Place) -> str:
        """Return the statement that calls a function on vectors of a size."""
        return f"{self.call(name, str(size), *(place.pointer for place in places))};"

    def activate(self, operation: Activate, z: str) -> str:
        """Return the expression of an activation."""
        name, args = operation.function, operation.args
        if name == "gelu":
            name, args = ("gelu" if args == ("none",) else "gelu_tanh"), ()
        if name not in FUNCTIONS:
            raise ValueError(f"expected an activation of npnets, one of {', '.join(FUNCTIONS)}, but got {name!r}")
        return self.call(name, z, *map(literal, args))

    def lines(self) -> list[str]:
        """Return the definitions, in the order of `FUNCTIONS`."""
        ordered = [name for name in FUNCTIONS if name in self.used]
        return [line for name in ordered for line in (*self._define(name), "")]

    def _use(self, name: str) -> None:
        self.used.add(name)
        for called in _called(name):
            self._use(called)

    def _define(self, name: str) -> list[str]:
        function = FUNCTIONS[name]
        arguments = ", ".join(f"float {argument}" for argument in ("z", *function.arguments))
        head, body = (
            re.sub(r"@(\w+)", rf"{self.prefix}_\1", text)
            for text in (function.head or f"float @{name}({arguments})", function.body.strip())
        )
        comment = [f"/* {function.comment} */"] if function.comment else []
        return [*comment, f"static inline {head}", "{", *(f"    {line}" for line in body.splitlines()), "}"]


def _called(name: str) -> list[str]:
    return re.findall(r"@(\w+)", FUNCTIONS[name].body)

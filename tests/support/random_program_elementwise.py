"""Operations of random programs that work entry by entry: functions, operators, powers, choices between two arrays."""

from __future__ import annotations

import math

import numpy
from random_program_drawing import Drawing, away_from, drawn_array
from random_program_source import Operation

POSITIVE_ONLY = {"log": 0.1, "sqrt": 0.1, "log1p": -0.75}
FUNCTIONS = "exp expm1 log log1p tanh sqrt square abs absolute sin cos negative".split()
OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**"}


# -- one argument -----------------------------------------------------------------------------------------------------


def unary(draw: Drawing) -> Operation:
    name = draw.choice(FUNCTIONS)
    least = POSITIVE_ONLY.get(name, -math.inf)
    x = draw.variable(lambda value: bool(numpy.all(numpy.asarray(value) > least)))
    draw.require("abs" not in name or away_from(draw.values[x], 0))
    return draw.assign(f"{draw.owner()}.{name}({x})")


def made_positive(draw: Drawing) -> Operation:
    x = draw.variable()
    name = draw.choice(("log", "sqrt", "log1p"))
    draw.require(away_from(draw.values[x], 0))
    inner = draw.choice((f"{x} * {x} + 0.5", f"np.abs({x}) + 0.75", f"np.exp({x})", f"np.square({x}) + 1"))
    return draw.assign(f"np.{name}({inner})")


def erf(draw: Drawing) -> Operation:
    return draw.assign(f"np.erf({draw.variable()})")


def sign(draw: Drawing) -> Operation:
    x = draw.variable(lambda value: away_from(value, 0))
    return draw.assign(f"-{x}", f"+{x}", f"abs({x})")


# -- two arguments ----------------------------------------------------------------------------------------------------


def _partner(draw: Drawing, x: str, owner: str) -> str:
    """Return an operand for `x`: a variable, or a constant of any kind.

    An array keeps its dtype beside NumPy's scalars in the functions of npnets, but not in NumPy's own: where that makes
    a difference, there are none of them. For the same reason only arrays meet constants of other dtypes.
    """
    shape = draw.shape(x)
    kind = draw.choice(("variable",) * 4 + ("number", "number", "scalar", "array", "list", "discrete"))
    if kind == "variable":
        return draw.variable(lambda value: _broadcasts(shape, numpy.shape(value)))
    if kind == "number":
        return draw.constant(draw.choice((2, 3, -1, 1, 0, 0.5, -1.25, 2.0, 3.0)))
    if kind in ("scalar", "array"):
        draw.require(shape and (owner == "np" or draw.wide))
    if kind == "scalar":
        dtype = draw.choice((numpy.float64, numpy.float32, numpy.float16, numpy.bool_, numpy.int64, numpy.int8))
        return draw.constant(dtype(draw.choice((1, 2, 3, 0.5, 1.75))))
    if kind == "discrete":
        name = draw.discrete("b" if draw.narrow else draw.choice("bi"))
        draw.require(_broadcasts(shape, draw.shape(name)))
        return name
    array = drawn_array(draw.rng, _constant_shape(draw, shape), draw.dtype())
    if kind == "array":
        return draw.constant(array)
    draw.require(draw.wide and array.ndim and (shape or owner == "np"))  # NumPy's own scalars take no lists
    return draw.constant(array.tolist() if draw.chance(0.8) else tuple(array.tolist()))


def _constant_shape(draw: Drawing, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape that broadcasts with another: parts of it, or more."""
    kept = tuple(1 if draw.chance(0.2) else size for size in shape[draw.integer(0, len(shape)) :])
    return (2, *kept) if len(kept) == len(shape) < 3 and draw.chance(0.15) else kept


def _broadcasts(*shapes: tuple[int, ...]) -> bool:
    try:
        numpy.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


def _keeps_away(draw: Drawing, name: str, left: str, right: str) -> None:
    """Check that an operation is at neither a pole nor a kink."""
    x, y = (numpy.asarray(draw.value(text)) for text in (left, right))
    if name in ("divide", "true_divide"):
        draw.require(away_from(y, 0, 0.2))
    if name in ("maximum", "minimum"):
        draw.require(left == right or away_from(x - y, 0))
    if name == "power":
        draw.require(right in ("0", "1", "2", "3", "2.0", "3.0") or bool(numpy.all(x > 0.1)))


def binary(draw: Drawing) -> Operation:
    name = draw.choice((*OPERATORS, "maximum", "minimum"))
    x, owner = draw.variable(), draw.owner()
    y = _partner(draw, x, owner)
    left, right = (x, y) if draw.chance(0.6) else (y, x)
    _keeps_away(draw, name, left, right)
    return draw.assign(f"{owner}.{name}({left}, {right})")


def operator(draw: Drawing) -> Operation:
    name = draw.choice(("add", "subtract", "multiply", "divide", "power"))
    x = draw.array()
    y = _partner(draw, x, "operator")
    left, right = (x, y) if draw.chance(0.6) else (y, x)
    _keeps_away(draw, name, left, right)
    return draw.assign(f"{left} {OPERATORS[name]} ({right})")


def power(draw: Drawing) -> Operation:
    """Powers with traced exponents that are integers, and with literal exponents."""
    x = draw.variable(lambda value: bool(numpy.all(numpy.asarray(value) > 0.1)))
    y = draw.variable(lambda value: _broadcasts(numpy.shape(value), draw.shape(x)))
    whole = [f"{y} - stop_gradient({y}) + {number}" for number in (0, 0, 0, 1, 1, 2)]
    exponent = draw.choice((*whole, y, y, "2", "3", "0", "1", "-1", "0.5"))
    return draw.assign(f"{x} ** ({exponent})", f"np.power({x}, {exponent})")


def doubled(draw: Drawing) -> Operation:
    """Ties that have no kink: an array with itself."""
    x = draw.variable()
    name = draw.choice(("maximum", "minimum", "add", "multiply", "subtract"))
    return draw.assign(f"np.{name}({x}, {x})")


# -- choices ----------------------------------------------------------------------------------------------------------


def where(draw: Drawing) -> Operation:
    x, owner = draw.variable(), draw.owner()
    y = _partner(draw, x, owner)
    shape = numpy.broadcast_shapes(draw.shape(x), numpy.shape(draw.value(y)))
    condition = draw.choice((mask_for, condition_for, _truth_for))(draw, shape)
    left, right = (x, y) if draw.chance(0.5) else (y, x)
    return draw.assign(f"{owner}.where({condition}, {left}, {right})")


def mask_for(draw: Drawing, shape: tuple[int, ...]) -> str:
    return draw.constant(draw.rng.random(_constant_shape(draw, shape)) < 0.5)


def condition_for(draw: Drawing, shape: tuple[int, ...]) -> str:
    z = draw.array(lambda value: _broadcasts(shape, numpy.shape(value)))
    limit = draw.choice((0, 0.3, -0.7))
    draw.require(away_from(draw.values[z], limit))
    return f"{z} {draw.choice('<>')} {limit}"


def _truth_for(draw: Drawing, shape: tuple[int, ...]) -> str:
    """Return an array whose entries are true where they are not zero."""
    return draw.array(lambda value: _broadcasts(shape, value.shape) and away_from(value, 0))


def clip(draw: Drawing) -> Operation:
    x = draw.array()
    low, high = -draw.integer(0, 64) / 64, draw.integer(1, 64) / 64
    draw.require(away_from(draw.values[x], low) and away_from(draw.values[x], high))
    forms = [f"np.clip({x}, {low}, {high})", f"np.clip({x}, None, {high})", f"np.clip({x}, {low}, None)"]
    forms += [f"{x}.clip({low}, {high})", f"np.clip({x}, max={high})", f"numpy.clip({x}, {low}, {high})"]
    forms += [f"np.clip({x}, numpy.float64({low}), numpy.float64({high}))"] * (len(draw.shape(x)) > 0)
    if draw.wide:
        forms.append(f"np.clip({x}, {draw.constant(numpy.full(draw.shape(x)[-1:], low))}, {high})")
        forms.append(f"np.clip({x}, None, {[high] * len(draw.shape(x))})")
    return draw.assign(*forms)


UNARY = ((unary, 5), (made_positive, 2), (erf, 1), (sign, 1))
BINARY = ((binary, 6), (operator, 5), (power, 4), (doubled, 1))
CHOICES = ((where, 3), (clip, 2))

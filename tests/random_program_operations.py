"""Operations of random programs that compute: functions of `npnets.numpy`, methods, operators, NumPy's functions."""

from __future__ import annotations

import math
from typing import Any

import numpy
from random_program_drawing import Drawing, away_from, drawn_array, is_spread
from random_program_source import Operation

POSITIVE_ONLY = {"log": 0.1, "sqrt": 0.1, "log1p": -0.75}
UNARY = "exp expm1 log log1p tanh sqrt square abs absolute sin cos negative".split()
OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**"}
BINARY = [*OPERATORS, "maximum", "minimum"]
REDUCED = "sum mean var std max min logsumexp".split()


def module(draw: Drawing) -> str:
    """Return where a function is taken from: npnets, or NumPy, which hands traced arrays over."""
    return "numpy" if draw.chance(0.2) else "np"


# -- one argument -----------------------------------------------------------------------------------------------------


def unary(draw: Drawing) -> Operation:
    name = draw.choice(UNARY)
    least = POSITIVE_ONLY.get(name, -math.inf)
    x = draw.variable(lambda value: bool(numpy.all(numpy.asarray(value) > least)))
    draw.require("abs" not in name or away_from(draw.values[x], 0))
    return draw.assign(f"{module(draw)}.{name}({x})")


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
    """Return something to compute with `x`: a variable, or a constant of any kind.

    NumPy's scalars are left to the functions of npnets, which let arrays keep their dtype beside them: NumPy does not.
    """
    shape = draw.shape(x)
    kind = draw.choice(("variable",) * 4 + ("number", "number", "scalar", "array", "list", "discrete"))
    if kind == "variable":
        return draw.variable(lambda value: _broadcasts(shape, numpy.shape(value)))
    if kind == "number":
        return draw.constant(draw.choice((2, 3, -1, 1, 0, 0.5, -1.25, 2.0, 3.0)))
    if kind == "scalar":
        draw.require(owner == "np" or draw.wide)
        dtype = draw.choice((numpy.float64, numpy.float32, numpy.float16, numpy.bool_, numpy.int64, numpy.int8))
        return draw.constant(dtype(draw.choice((1, 2, 3, 0.5, 1.75))))
    if kind == "discrete":
        name = draw.discrete("b" if draw.narrow else draw.choice("bi"))
        draw.require(_broadcasts(shape, draw.shape(name)))
        return name
    array = drawn_array(draw.rng, _constant_shape(draw, shape), numpy.float32 if draw.narrow else _constant_dtype(draw))
    if kind == "array":
        return draw.constant(array)
    draw.require(draw.wide and array.ndim and (shape or owner == "np"))  # NumPy's own scalars take no lists
    return draw.constant(array.tolist() if draw.chance(0.8) else tuple(array.tolist()))


def _constant_dtype(draw: Drawing) -> Any:
    return draw.choice((numpy.float64, numpy.float64, numpy.float32, numpy.int64, numpy.int8))


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
    """Check that an operation meets neither pole nor kink."""
    x, y = (numpy.asarray(draw.value(text)) for text in (left, right))
    if name in ("divide", "true_divide"):
        draw.require(away_from(y, 0, 0.2))
    if name in ("maximum", "minimum"):
        draw.require(left == right or away_from(x - y, 0))
    if name == "power":
        draw.require(right in ("0", "1", "2", "3", "2.0", "3.0") or bool(numpy.all(x > 0.1)))


def binary(draw: Drawing) -> Operation:
    name = draw.choice(BINARY)
    x, owner = draw.variable(), module(draw)
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
    """Powers with traced exponents that are whole numbers, and with those that are written out."""
    x = draw.variable(lambda value: bool(numpy.all(numpy.asarray(value) > 0.1)))
    y = draw.variable(lambda value: _broadcasts(numpy.shape(value), draw.shape(x)))
    whole = [f"{y} - stop_gradient({y}) + {number}" for number in (0, 0, 1, 2)]
    exponent = draw.choice((*whole, y, y, "2", "3", "0", "1", "-1", "0.5"))
    return draw.assign(f"{x} ** ({exponent})", f"np.power({x}, {exponent})")


def doubled(draw: Drawing) -> Operation:
    """Ties that have no kink: an array with itself."""
    x = draw.variable()
    name = draw.choice(("maximum", "minimum", "add", "multiply", "subtract"))
    return draw.assign(f"np.{name}({x}, {x})")


# -- choices ----------------------------------------------------------------------------------------------------------


def where(draw: Drawing) -> Operation:
    x, owner = draw.variable(), module(draw)
    y = _partner(draw, x, owner)
    shape = numpy.broadcast_shapes(draw.shape(x), numpy.shape(draw.value(y)))
    condition = draw.choice((_mask, _condition, _truth))(draw, shape)
    left, right = (x, y) if draw.chance(0.5) else (y, x)
    return draw.assign(f"{owner}.where({condition}, {left}, {right})")


def _mask(draw: Drawing, shape: tuple[int, ...]) -> str:
    return draw.constant(draw.rng.random(_constant_shape(draw, shape)) < 0.5)


def _condition(draw: Drawing, shape: tuple[int, ...]) -> str:
    z = draw.array(lambda value: _broadcasts(shape, numpy.shape(value)))
    limit = draw.choice((0, 0.3, -0.7))
    draw.require(away_from(draw.values[z], limit))
    return f"{z} {draw.choice('<>')} {limit}"


def _truth(draw: Drawing, shape: tuple[int, ...]) -> str:
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


# -- reductions -------------------------------------------------------------------------------------------------------


def _axes(draw: Drawing, x: str, by_position: bool = True) -> str:
    """Return the arguments that say which axes a reduction takes away."""
    ndim = len(draw.shape(x))
    options = ["axis=None", ""]
    if ndim:
        options += [f"axis={draw.axis(x)}", f"axis={draw.axis(x)}", f"axis=numpy.int64({draw.axis(x)})"]
        options += [f"{draw.axis(x)}"] * by_position
    if ndim > 1:
        axes = tuple(int(axis) for axis in draw.rng.permutation(ndim)[: draw.integer(1, ndim)])
        options.append(f"axis={tuple(axis - ndim * draw.chance(0.3) for axis in axes)}")
    keepdims = draw.choice(("", "", "keepdims=True", "keepdims=False"))
    return ", ".join(option for option in (draw.choice(options), keepdims) if option)


def reduction(draw: Drawing) -> Operation:
    name = draw.choice(REDUCED)
    x = draw.variable()
    axes = _axes(draw, x)
    if name in ("max", "min"):
        draw.require(is_spread(draw.values[x]))
    if name in ("var", "std") and draw.chance(0.3):
        axes = ", ".join(part for part in (axes, "ddof=1") if part)
    if name == "std":
        spread = draw.value(f"np.std({x}, {axes})")
        draw.require(away_from(spread, 0, 0.1))
    forms = [f"np.{name}({x}, {axes})"] * 2
    if name != "logsumexp":
        forms.append(f"numpy.{name}({x}, {axes})")
        forms += [f"{x}.{name}({axes})"] * hasattr(draw.values[x], "dtype")
    return draw.assign(*(form.replace(", )", ")") for form in forms))


def tied_extremes(draw: Drawing) -> Operation:
    """The largest or smallest of entries that are there several times: ties, and no kinks."""
    x = draw.array(lambda value: is_spread(value) and value.ndim > 0)
    axis = draw.axis(x)
    copies = draw.choice((f"np.repeat({x}, 2, axis={axis})", f"np.concatenate([{x}, {x}], axis={axis})"))
    return draw.assign(f"np.{draw.choice(('max', 'min'))}({copies}, axis={axis})")


def softmax(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and value.size > 0)
    forms = (f"np.softmax({x}, axis={draw.axis(x)})", f"np.softmax({x})", f"functional.softmax({x})")
    return draw.assign(*forms)


def masked(draw: Drawing) -> Operation:
    x = draw.array()
    mask = draw.choice((_mask, _condition))(draw, draw.shape(x))
    draw.require(numpy.shape(draw.value(mask)) in (draw.shape(x), draw.shape(x)[1:]))
    name = draw.choice(("masked_sum", "masked_mean"))
    return draw.assign(f"np.{name}({x}, {mask}, {_axes(draw, x)})".replace(", )", ")"))


def norm(draw: Drawing) -> Operation:
    x = draw.array()
    axes = _axes(draw, x, by_position=False)
    draw.require(away_from(draw.value(f"numpy.linalg.norm({x}, {axes})"), 0, 0.1))
    return draw.assign(f"np.linalg.norm({x}, {axes})".replace(", )", ")"))


def impossible(draw: Drawing) -> Operation:
    """Logits of which some are impossible, whole rows of them too."""
    x = draw.array(lambda value: value.ndim > 0 and value.size > 0)
    mask = draw.rng.random(draw.shape(x)) < 0.5
    name = draw.choice(("logsumexp", "softmax"))
    if name == "softmax":
        mask[..., 0] = True
    logits = f"np.where({draw.constant(mask)}, {x}, -np.inf)"
    text = f"np.softmax({logits})" if name == "softmax" else f"np.exp(np.logsumexp({logits}, axis={draw.axis(x)}))"
    return draw.assign(text)


# -- products ---------------------------------------------------------------------------------------------------------


def matmul(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    columns = draw.shape(x)[-1]
    y = draw.array(lambda value: value.ndim > 0 and value.shape[-2:][0] == columns)
    if draw.chance(0.4):
        shape = draw.choice(((columns,), (columns, 2), (columns, 3), (2, columns, 1), (1, columns, 2)))
        y = draw.constant(drawn_array(draw.rng, shape, numpy.float32 if draw.narrow else _constant_dtype(draw)))
    draw.require(_multiplies(draw, x, y))
    return draw.assign(f"{x} @ {y}", f"np.matmul({x}, {y})", f"numpy.matmul({x}, {y})")


def matmul_from_left(draw: Drawing) -> Operation:
    y = draw.array(lambda value: value.ndim > 0)
    rows = draw.shape(y)[-2:][0]
    x = draw.constant(drawn_array(draw.rng, draw.choice(((rows,), (2, rows))), numpy.float32))
    return draw.assign(f"{x} @ {y}", f"np.matmul({x}, {y})")


def _multiplies(draw: Drawing, x: str, y: str) -> bool:
    try:
        draw.value(f"numpy.matmul({x}, {y})")
    except ValueError:
        return False
    return True


ELEMENTWISE = (
    (unary, 5),
    (made_positive, 2),
    (erf, 1),
    (sign, 1),
    (binary, 6),
    (operator, 5),
    (power, 3),
    (doubled, 1),
)
CHOICES = ((where, 3), (clip, 2))
REDUCTIONS = ((reduction, 6), (tied_extremes, 1), (softmax, 1), (masked, 1), (norm, 1), (impossible, 1))
PRODUCTS = ((matmul, 3), (matmul_from_left, 1))

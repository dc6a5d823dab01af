"""Operations of random programs other than array functions: constants, buffers, layers, nested derivatives."""

from __future__ import annotations

from typing import Any

import numpy
from random_program_drawing import Drawing, away_from, drawn_array, is_spread
from random_program_source import Operation

# -- constants to derivatives -----------------------------------------------------------------------------------------

COMPARISONS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
ASKED = "isfinite isnan isinf logical_not".split()
MADE_LIKE = {
    "zeros_like": "np.zeros_like({x})",
    "ones_like": "np.ones_like({x})",
    "full_like": "np.full_like({x}, 0.5)",
    "zeros": "np.zeros(np.shape({x}), {dtype})",
    "ones": "np.ones({x}.shape, {dtype})",
    "full": "np.full(np.shape({x}), 1.5, {dtype})",
    "empty": "np.empty((0,) + {x}.shape, {dtype})",
    "eye": "np.eye(2, 3, dtype={dtype})",
    "arange": "np.arange(np.size({x}), dtype={dtype}) / 16",
    "linspace": "np.linspace(-1, 1, 3, dtype={dtype})",
    "pi": "np.full({x}.shape, np.pi, {dtype})",
}


def comparison(draw: Drawing) -> Operation:
    name = draw.choice(tuple(COMPARISONS))
    x = draw.array()
    y = draw.choice(("0.25", "0", draw.array(lambda value: value.shape == draw.shape(x))))
    draw.require(x == y or away_from(draw.value(f"{x} - {y}"), 0))
    return draw.assign(f"{x} {COMPARISONS[name]} {y}", f"np.{name}({x}, {y})")


def question(draw: Drawing) -> Operation:
    x = draw.array(lambda value: away_from(value, 0))
    name = draw.choice((*ASKED, "all", "any", "logical_and", "logical_or"))
    forms = {"logical_and": f"{x} > 0, {x} < 0.5", "logical_or": f"{x} > 0, {x} < -0.5"}
    draw.require(away_from(draw.values[x], 0.5) and away_from(draw.values[x], -0.5))
    return draw.assign(f"np.{name}({forms.get(name, x)})")


def order(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and value.size > 0 and is_spread(value))
    name = draw.choice(("argmax", "argmin", "argsort"))
    forms = [f"np.{name}({x}, axis={draw.axis(x)})"] + [f"{x}.{name}()"] * (name != "argsort")
    return draw.assign(*forms)


def rounding(draw: Drawing) -> Operation:
    name = draw.choice(("sign", "floor", "ceil", "rint"))
    x = draw.array(lambda value: away_from(value % 0.5, 0) and away_from(value % 0.5, 0.5))
    return draw.assign(f"{draw.array()} * 1.5 + np.{name}({x})", f"np.{name}({x})", f"np.{name}({x})")


def made_like(draw: Drawing) -> Operation:
    name = draw.choice(tuple(MADE_LIKE))
    x = draw.array()
    return draw.assign(MADE_LIKE[name].format(x=x, dtype=f"{x}.dtype"))


def sizes(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and value.shape[0] > 0)
    forms = (f"{x} / {x}.size", f"{x} * {x}.ndim", f"{x} / {x}.shape[0]", f"{x} - len({x})")
    forms += (f"{x} * np.ndim({x})", f"{x} / np.size({x})", f"{x} / np.shape({x})[0]")
    return draw.assign(*forms)


def stopped(draw: Drawing) -> Operation:
    x = draw.variable()
    forms = (f"stop_gradient({x})", f"{x} * stop_gradient({x})", f"stop_gradient({{'a': [{x}]}})['a'][0] + 1.0")
    return draw.assign(*forms)


# -- Python around arrays ---------------------------------------------------------------------------------------------


def branch(draw: Drawing) -> Operation:
    x = draw.array()
    draw.require(away_from(draw.value(f"numpy.sum({x})"), 0.25))
    return draw.assign(f"{x} * 2 if np.sum({x}) > 0.25 else -{x}")


def shown(draw: Drawing) -> Operation:
    x = draw.array()
    (new,) = draw.new()
    texts = [f"f'{{{x}}}'", f"str({x})", f"repr({x})", *[f"f'{{{x}:.3f}}'"] * (draw.shape(x) == ())]
    return Operation((new,), (draw.choice(texts), f"{new} = -{x}"))


def augmented(draw: Drawing) -> Operation:
    """In-place operators: on a traced array they make a new one."""
    x = draw.array(lambda value: value.ndim > 0)
    y = draw.choice(("2", "0.5", x))
    (new,) = draw.new()
    return Operation((new,), (f"{new} = {x} * 1", f"{new} {draw.choice(('+', '-', '*'))}= {y}"))


USES_OF_A_BUFFER = (
    "{x} * {b}",
    "{b} / (2.5 + np.square({x}))",
    "{x} / {b}",
    "np.power({b}, {x}) * 0.5",
    "np.power(np.square({x}) + 0.5, {b})",
    "np.square({x} - {b})",
    "np.where({b} > 0.6, {x}, {b}) * {x}",
    "np.square(np.concatenate([np.ravel({x}), np.ravel({b})]))",
    "np.square(np.stack([{x}, {b}]))",
    "np.masked_mean({x} * {x}, {b} > 0.6)",
    "grad(lambda t: np.sum(t * t * {b}))({x})",
    "Activation('tanh')({x}) * {b}",
    "Gaussian({x}.reshape(1, -1), np.exp({x}).reshape(1, -1)).log_prob({b}.reshape(1, -1))",
    "{x}.reshape(-1) @ {b}.reshape(-1)",
)
SEEN_AS = (
    "buffer",
    "buffer",
    "numpy.broadcast_to(buffer, {x}.shape)",
    "np.broadcast_to(buffer, {x}.shape)",
    "buffer.T.T",
    "stop_gradient(buffer)",
)
USES_OF_AN_INDEX = ("{x}[{b}]", "{x}[{b}, ...]", "{x}[{b}, None]", "np.tanh({x})[{b}] * k", "{x}[{b}][{b}]")
INDEX_SEEN_AS = ("buffer", "buffer", "buffer[::-1]", "numpy.broadcast_to(buffer, (2, 2))", "buffer.tolist()", "listed")


def buffer(draw: Drawing) -> Operation:
    """A constant buffer that a loop refills: each use must keep its values at that time."""
    x = draw.array(lambda value: value.size > 0)
    (new,) = draw.new()
    use = draw.choice(USES_OF_A_BUFFER).format(x=x, b=draw.choice(SEEN_AS).format(x=x))
    lines = (f"buffer, {new} = numpy.empty({x}.shape, {x}.dtype), 0.0", "for k in (0.5, 1.25, 0.75):")
    return Operation((new,), (*lines, "    buffer[...] = k", f"    {new} = {new} + np.mean({use})"))


def index_buffer(draw: Drawing) -> Operation:
    """A buffer of indices, and a list of them, that a loop refills."""
    x = draw.array(lambda value: value.ndim > 0 and value.shape[0] > 1)
    (new,) = draw.new()
    use = draw.choice(USES_OF_AN_INDEX).format(x=x, b=draw.choice(INDEX_SEEN_AS))
    lines = (f"buffer, listed, {new} = numpy.empty(2, numpy.int64), [0, 0], 0.0", "for k in (0, 1):")
    refilled = ("    buffer[:], listed[:] = k, [k, 1]", f"    {new} = {new} + np.mean(np.square({use})) * (k + 0.5)")
    return Operation((new,), (*lines, *refilled))


# -- networks' parts --------------------------------------------------------------------------------------------------

KINKS = {"relu6": (6,), "hardtanh": (-1, 1), "hardsigmoid": (-3, 3), "hardswish": (-3, 3)}
"""Where an activation has no derivative, beside zero."""
ACTIVATIONS = "relu leaky_relu tanh elu gelu silu sigmoid softplus selu celu softsign mish logsigmoid".split() + [
    *KINKS
]
WITH_ARGUMENTS = {"leaky_relu": (0.2,), "softplus": (2.0,), "gelu": ("tanh",), "elu": (0.5,), "celu": (0.5,)}


def activation(draw: Drawing) -> Operation:
    name = draw.choice(ACTIVATIONS)
    x = draw.array(lambda value: all(away_from(value, kink) for kink in (0, *KINKS.get(name, ()))))
    args = WITH_ARGUMENTS.get(name, ()) if draw.chance(0.4) else ()
    listed = "".join(f", {arg!r}" for arg in args)
    forms = (f"functional.{name}({x}{listed})", f"Activation('{name}', {args!r})({x})")
    return draw.assign(*forms)


def squash(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and value.shape[-1] == 3 or draw.chance(0.3))
    bound = draw.choice((1.0, 2.0, (1.0, 2.0, 0.5)))
    draw.require(isinstance(bound, float) or draw.shape(x)[-1:] == (3,))
    return draw.assign(f"functional.squash({x}, {bound})")


def _like(draw: Drawing, x: str, shape: tuple[int, ...], of_variables: bool) -> str:
    """Return a variable of a shape if there is one, or a constant in the dtype of `x`."""
    fitting = [n for n, v in draw.values.items() if hasattr(v, "dtype") and v.dtype.kind == "f" and v.shape == shape]
    if of_variables and fitting:
        return f"{draw.choice(fitting)}.astype({x}.dtype)"
    return f"{draw.constant(drawn_array(draw.rng, shape, numpy.float32))}.astype({x}.dtype)"


def layers(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 1 and value.size > 0)
    sizes: list[Any] = [draw.shape(x)[-1], draw.integer(1, 3), draw.integer(1, 3)][: draw.integer(2, 3)]
    parameters, calls = [], []
    for rows, columns in zip(sizes, sizes[1:], strict=False):
        parameters.append(_like(draw, x, (rows, columns), draw.chance(0.7)))
        parameters.append("None" if draw.chance(0.3) else _like(draw, x, (columns,), draw.chance(0.7)))
        calls.append(
            draw.choice(("None", *(f"Activation('{name}')" for name in ("tanh", "sigmoid", "gelu", "softplus"))))
        )
    return draw.assign(f"linear_layers({x}, ({', '.join(parameters)}), ({', '.join(calls)},))")


def density(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    mu, sigma = (_like(draw, x, draw.shape(x), draw.chance(0.8)) for _ in range(2))
    return draw.assign(f"log_density({x}, {mu}, 0.75 + np.square({sigma}))")


# -- derivatives inside -----------------------------------------------------------------------------------------------


def inner_gradient(draw: Drawing) -> Operation:
    """A gradient with respect to one value that also depends on another, of the outer derivative."""
    x, y = draw.variable(), draw.array()
    forms = (f"np.tanh(t * {x})", f"np.exp(-t * t) * np.sum({x})", f"t * t * t * np.mean({x} * {x})", f"t + {x} * t")
    return draw.assign(f"grad(lambda t: np.sum({draw.choice(forms)}))({y})")


def inner_directions(draw: Drawing) -> Operation:
    """A tangent, and the result of a pullback, with values of the outer derivative in function and direction."""
    x, y = draw.variable(), draw.array()
    v = draw.array(lambda value: value.shape == draw.shape(y))
    inner = draw.choice((f"np.tanh(t * {x})", f"np.exp(-t * t) * np.sum({x})", f"t * t * t * {x}"))
    draw.require(numpy.shape(draw.value(f"(lambda t: {inner})({y})")) == draw.shape(y))
    return draw.assign(f"jvp(lambda t: {inner}, {y}, {v})[1]", f"vjp(lambda t: {inner}, {y})[1]({v})")


CONSTANT = ((comparison, 2), (question, 1), (order, 2), (rounding, 1), (made_like, 2), (sizes, 1), (stopped, 1))
PYTHON = ((branch, 1), (shown, 1), (augmented, 1), (buffer, 2), (index_buffer, 1))
NETWORKS = ((activation, 6), (squash, 1), (layers, 2), (density, 1))
NESTED = ((inner_gradient, 2), (inner_directions, 2))

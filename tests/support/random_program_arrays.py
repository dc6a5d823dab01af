"""Operations of random programs that accumulate, contract, sort, repeat and replace entries."""

from __future__ import annotations

from typing import Any

import numpy
from random_program_drawing import Drawing, away_from, drawn_array, is_spread
from random_program_source import Operation

EINSUM = {
    1: "i,i i,i->i i,j->ji i->",
    2: "ij,kj->ik ij,ij ij,kl->lj ij,ik->jk ij->ji ij,ij->j",
    3: "ijk,ilk->jl ijk->ki ...k,...k->...",
}

# -- accumulating and contracting -------------------------------------------------------------------------------------


def accumulated(draw: Drawing) -> Operation:
    x = draw.array()
    name = draw.choice(("cumsum", "cumprod"))
    axis = draw.axis(x) if draw.shape(x) and draw.chance(0.8) else None
    return draw.assign(f"np.{name}({x}, {axis})", f"{x}.{name}(axis={axis})", f"numpy.{name}({x}, axis={axis})")


def differences(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    axis = draw.axis(x)
    forms = [
        f"np.diff({x}, axis={axis})",
        f"np.diff({x}, {draw.integer(0, 3)}, {axis})",
        f"numpy.diff({x}, axis={axis})",
    ]
    forms += [f"np.diff({x}, axis={axis}, prepend={draw.integer(-1, 1)}, append={x} * 2)"]
    return draw.assign(*forms)


def contracted(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim in EINSUM)
    subscripts = draw.choice(EINSUM[len(draw.shape(x))].split())
    operands = [x, draw.choice((x, f"np.exp({x})"))][: 1 + subscripts.count(",")]
    owner = draw.owner() if draw.wide else "np"
    return draw.assign(f"{owner}.einsum({subscripts!r}, {', '.join(operands)})")


def dotted(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    size = draw.shape(x)[-1]
    shape = draw.choice(((size,), (size, 2), (2, size, 1)))
    y = draw.constant(drawn_array(draw.rng, shape, draw.dtype()))
    return draw.assign(f"np.dot({x}, {y})", f"{x}.dot({y})", f"numpy.dot({x}, {y})", f"np.dot({y}.T, {x}.T)")


def outer(draw: Drawing) -> Operation:
    return draw.assign(f"np.outer({draw.array()}, {draw.array()})")


# -- angles and remainders --------------------------------------------------------------------------------------------


def angle(draw: Drawing) -> Operation:
    x = draw.variable()
    y = draw.choice((f"np.exp({x})", "0.75", f"{x} * {x} + 1"))
    return draw.assign(f"np.arctan2({x}, {y})", f"np.arctan2({y}, np.exp({x}))")


def remainder(draw: Drawing) -> Operation:
    x = draw.array()
    y = draw.choice((0.5, 1.5, -2, 3))
    value = numpy.asarray(draw.values[x]) / y
    draw.require(away_from(value - numpy.rint(value), 0))
    forms = (f"{x} % {y}", f"np.mod({x}, {y})", f"np.remainder({x}, {y} + 0 * {x})", f"numpy.mod({x}, {y})")
    return draw.assign(*forms)


def made_finite(draw: Drawing) -> Operation:
    x = draw.array()
    mask = draw.constant(draw.rng.random(draw.shape(x)) < 0.3)
    broken = f"np.where({mask}, numpy.nan, {x})"
    return draw.assign(f"np.nan_to_num({x})", f"np.nan_to_num({broken}, nan=0.5)", f"numpy.nan_to_num({broken})")


# -- sorting, repeating and joining -----------------------------------------------------------------------------------


def ordered(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and is_spread(value))
    axis = draw.axis(x)
    taken = f"np.take_along_axis({x}, np.argsort({x}, {axis}), {axis})"
    forms = [f"np.sort({x}, {axis})", f"numpy.sort({x}, axis={axis})", taken, f"np.sort({x}, axis=None)"]
    return draw.assign(*forms, f"np.take_along_axis({x} * {x}, {x}.argsort({axis}), axis={axis})")


def taken_along(draw: Drawing) -> Operation:
    """Entries along an axis, some of them twice."""
    x = draw.array(lambda value: value.ndim > 0 and value.size > 0)
    axis = draw.axis(x)
    shape = list(draw.shape(x))
    size, shape[axis] = shape[axis], draw.integer(1, 3)
    indices = draw.constant(draw.rng.integers(-size, size, shape))
    return draw.assign(f"{draw.owner()}.take_along_axis({x}, {indices}, {axis})")


def tiled(draw: Drawing) -> Operation:
    x = draw.array()
    reps: Any = draw.choice((0, 1, 2, (2, 1), (1, 2), (2, 1, 1), ()))
    return draw.assign(f"{draw.owner()}.tile({x}, {reps})")


def rolled(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    shift, axis = draw.integer(-4, 4), draw.axis(x)
    forms = (f"np.roll({x}, {shift})", f"numpy.roll({x}, {shift}, {axis})", f"np.roll({x}, ({shift}, 1), (0, {axis}))")
    return draw.assign(*forms)


def repeated_apart(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    axis = draw.axis(x)
    repeats = draw.rng.integers(0, 3, draw.shape(x)[axis]).tolist() or 2
    return draw.assign(f"np.repeat({x}, {repeats}, {axis})", f"{x}.repeat({repeats}, axis={axis})")


def joined(draw: Drawing) -> Operation:
    x = draw.array()
    y = draw.array(lambda value: value.shape == draw.shape(x))
    return draw.assign(f"{draw.owner()}.{draw.choice(('hstack', 'vstack'))}([{x}, {y}])")


ACCUMULATING = ((accumulated, 2), (differences, 1), (contracted, 2), (dotted, 1), (outer, 1))
ANGLES = ((angle, 1), (remainder, 1), (made_finite, 1))
REARRANGING = ((ordered, 2), (taken_along, 1), (tiled, 1), (rolled, 1), (repeated_apart, 1), (joined, 1))

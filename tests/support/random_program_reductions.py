"""Operations of random programs that sum over axes: reductions, also masked ones, and matrix products."""

from __future__ import annotations

import numpy
from random_program_drawing import Drawing, away_from, call, drawn_array, is_spread
from random_program_elementwise import condition_for, mask_for
from random_program_source import Operation

REDUCED = "sum mean var std max min logsumexp prod".split()


def _axes(draw: Drawing, x: str, by_position: bool = True) -> str:
    """Return the argument for the axes of a reduction, which may be empty."""
    ndim = len(draw.shape(x))
    options = ["axis=None", ""]
    if ndim:
        options += [f"axis={draw.axis(x)}", f"axis={draw.axis(x)}", f"axis=numpy.int64({draw.axis(x)})"]
        options += [f"{draw.axis(x)}"] * by_position
    if ndim > 1:
        axes = draw.rng.permutation(ndim)[: draw.integer(1, ndim)].tolist()
        options.append(f"axis={tuple(axis - ndim * draw.chance(0.3) for axis in axes)}")
    return draw.choice(options)  # type: ignore[no-any-return]


def _keepdims(draw: Drawing) -> str:
    return draw.choice(("", "", "keepdims=True", "keepdims=False"))  # type: ignore[no-any-return]


def reduction(draw: Drawing) -> Operation:
    name = draw.choice(REDUCED)
    x = draw.variable()
    arguments = [_axes(draw, x), _keepdims(draw), "ddof=1" * (name in ("var", "std") and draw.chance(0.3))]
    draw.require(name not in ("max", "min") or is_spread(draw.values[x]))
    draw.require(name != "std" or away_from(draw.value(call("np.std", x, *arguments)), 0, 0.1))
    forms = [call(f"np.{name}", x, *arguments)] * 2
    if name != "logsumexp":
        forms.append(call(f"numpy.{name}", x, *arguments))
        forms += [call(f"{x}.{name}", *arguments)] * hasattr(draw.values[x], "dtype")
    return draw.assign(*forms)


def tied_extremes(draw: Drawing) -> Operation:
    """The largest or smallest of repeated entries: ties without kinks."""
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
    mask = draw.choice((mask_for, condition_for))(draw, draw.shape(x))
    draw.require(numpy.shape(draw.value(mask)) in (draw.shape(x), draw.shape(x)[1:]))
    return draw.assign(
        call(f"np.{draw.choice(('masked_sum', 'masked_mean'))}", x, mask, _axes(draw, x), _keepdims(draw))
    )


def norm(draw: Drawing) -> Operation:
    x = draw.array()
    arguments = (_axes(draw, x, by_position=False), _keepdims(draw))
    draw.require(away_from(draw.value(call("numpy.linalg.norm", x, *arguments)), 0, 0.1))
    return draw.assign(call(f"{draw.owner()}.linalg.norm", x, *arguments))


def impossible(draw: Drawing) -> Operation:
    """Logits with impossible entries, also in whole rows."""
    x = draw.array(lambda value: value.ndim > 0 and value.size > 0)
    possible = draw.rng.random(draw.shape(x)) < 0.5
    logits = f"np.where({draw.constant(possible)}, {x}, -np.inf)"
    if possible[..., 0].all():  # no row is impossible as a whole
        return draw.assign(f"np.softmax({logits})")
    return draw.assign(f"np.exp(np.logsumexp({logits}, axis={draw.axis(x)}))")


# -- products ---------------------------------------------------------------------------------------------------------


def matmul(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    size = draw.shape(x)[-1]
    if draw.chance(0.4):
        shape = draw.choice(((size,), (size, 2), (size, 3), (2, size, 1), (1, size, 2)))
        y = draw.constant(drawn_array(draw.rng, shape, draw.dtype()))
    else:
        y = draw.array(lambda value: value.ndim > 0 and value.shape[-2:][0] == size)
    return draw.assign(f"{x} @ {y}", f"np.matmul({x}, {y})", f"numpy.matmul({x}, {y})")


def matmul_from_left(draw: Drawing) -> Operation:
    y = draw.array(lambda value: value.ndim > 0)
    size = draw.shape(y)[-2:][0]
    x = draw.constant(drawn_array(draw.rng, draw.choice(((size,), (2, size))), draw.dtype()))
    return draw.assign(f"{x} @ {y}", f"np.matmul({x}, {y})")


REDUCTIONS = ((reduction, 6), (tied_extremes, 1), (softmax, 1), (masked, 1), (norm, 1), (impossible, 1))
PRODUCTS = ((matmul, 3), (matmul_from_left, 1))

"""Operations of random programs that move entries: shapes, joining, indexing, iterating, casting, copying."""

from __future__ import annotations

import math
from typing import Any

import numpy
from random_program_drawing import Drawing, away_from, drawn_array
from random_program_source import Operation

# -- shapes -----------------------------------------------------------------------------------------------------------


def reshape(draw: Drawing) -> Operation:
    x = draw.array()
    shape = _rearranged(draw, draw.shape(x))
    listed = ", ".join(map(str, shape)) or "()"
    methods = (f"{x}.reshape({listed})", f"{x}.reshape({shape})")
    return draw.assign(f"{draw.owner()}.reshape({x}, {shape})", f"np.reshape({x}, {list(shape)})", *methods)


def _rearranged(draw: Drawing, shape: tuple[int, ...]) -> tuple[int, ...]:
    size = math.prod(shape)
    shapes = [(size,), (1, size), (size, 1), tuple(reversed(shape))]
    shapes += [(-1, divisor) for divisor in (1, 2, 3) if size and size % divisor == 0]
    shapes += [(2, 1, size // 2)] * (size % 2 == 0) + [()] * (size == 1)
    return draw.choice(shapes)  # type: ignore[no-any-return]


def flat(draw: Drawing) -> Operation:
    x = draw.array()
    return draw.assign(f"np.ravel({x})", f"{x}.ravel()", f"{x}.flatten()", f"numpy.ravel({x})", f"{x}.reshape(-1)")


def transpose(draw: Drawing) -> Operation:
    x = draw.array()
    ndim = len(draw.shape(x))
    axes = tuple(int(axis) - ndim * draw.chance(0.3) for axis in draw.rng.permutation(ndim))
    listed = ", ".join(map(str, axes))
    forms = [f"{x}.T", f"np.transpose({x})", f"{x}.transpose()", f"np.transpose({x}, {axes})"]
    forms += [f"numpy.transpose({x}, {list(axes)})", f"{x}.transpose({listed})", f"{x}.transpose({axes})"]
    return draw.assign(*forms)


def swapaxes(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    arguments = f"{draw.axis(x)}, {draw.axis(x)}"
    return draw.assign(f"np.swapaxes({x}, {arguments})", f"{x}.swapaxes({arguments})")


def expand_dims(draw: Drawing) -> Operation:
    x = draw.variable()
    ndim = len(draw.shape(x))
    axis = draw.integer(-ndim - 1, ndim)
    chosen = draw.choice((axis, axis, (axis,), [axis], (0, -1), (1, 0)))
    return draw.assign(f"{draw.owner()}.expand_dims({x}, {chosen})")


def squeeze(draw: Drawing) -> Operation:
    x = draw.array(lambda value: 1 in value.shape or draw.chance(0.2))
    ones = [axis - len(draw.shape(x)) * draw.chance(0.3) for axis, size in enumerate(draw.shape(x)) if size == 1]
    axis = draw.choice([None, *ones, tuple(ones)])
    return draw.assign(f"np.squeeze({x}, {axis})", f"{x}.squeeze({axis})", f"np.squeeze({x})")


def repeat(draw: Drawing) -> Operation:
    x = draw.array()
    axis = draw.axis(x) if draw.shape(x) and draw.chance(0.8) else None
    arguments = f"{draw.integer(0, 3)}, axis={axis}"
    return draw.assign(f"np.repeat({x}, {arguments})", f"{x}.repeat({arguments})")


def broadcast_to(draw: Drawing) -> Operation:
    x = draw.variable()
    shape = tuple(draw.choice((1, 2, 3)) if size == 1 else size for size in draw.shape(x))
    shape = (*draw.choice(((), (2,), (1,), (2, 1))), *shape)
    return draw.assign(f"{draw.owner()}.broadcast_to({x}, {shape})")


# -- joining ----------------------------------------------------------------------------------------------------------


def concatenate(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    axis = draw.axis(x)

    def fits(value: Any) -> bool:
        rest = [numpy.delete(shape, axis).tolist() for shape in (draw.shape(x), value.shape) if len(shape)]
        return value.ndim == len(draw.shape(x)) and rest[0] == rest[1]

    parts = [x, draw.array(fits), draw.choice((x, f"{x} * 2", draw.array(fits)))][: draw.integer(1, 3)]
    if draw.chance(0.3):
        parts.insert(draw.integer(0, 1), draw.constant(drawn_array(draw.rng, draw.shape(x), draw.dtype())))
    if len(draw.shape(x)) == 1 and draw.wide and draw.chance(0.2):
        parts.append("[0.5, -1]")
    listed = draw.choice((f"[{', '.join(parts)}]", f"({', '.join(parts)},)"))
    return draw.assign(f"{draw.owner()}.concatenate({listed}, axis={axis})")


def concatenate_flat(draw: Drawing) -> Operation:
    return draw.assign(f"np.concatenate([{draw.array()}, {draw.array()}], axis=None)")


def stack(draw: Drawing) -> Operation:
    x = draw.variable()
    y = draw.variable(lambda value: numpy.shape(value) == draw.shape(x))
    ndim = len(draw.shape(x))
    parts = [x, y] if draw.chance(0.5) else [x, f"{y} * {x}", y]
    parts += ["0.5"] * (ndim == 0 and draw.wide)
    row, back = f"[{', '.join(parts)}]", f"[{', '.join(reversed(parts))}]"
    axis = draw.integer(-ndim - 1, ndim)
    return draw.assign(
        f"np.stack({row}, axis={axis})", f"np.asarray({row})", f"np.array({row})", f"np.array([{row}, {back}])"
    )


# -- indexing ---------------------------------------------------------------------------------------------------------


def indexing(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    parts = _index_parts(draw, draw.shape(x))
    return draw.assign(f"{x}[{', '.join(parts)}]")


def _index_parts(draw: Drawing, shape: tuple[int, ...]) -> list[str]:
    """Return the parts of an index: each takes one axis, none, or all remaining ones."""
    parts = [_index_part(draw, size) for size in shape[: draw.integer(1, len(shape))]]
    if draw.chance(0.2):
        parts.insert(draw.integer(0, len(parts)), draw.choice(("None", "np.newaxis")))
    if draw.chance(0.2):
        parts.insert(draw.choice((0, len(parts))), "...")
    return parts


def _index_part(draw: Drawing, size: int) -> str:
    if draw.chance(0.35):
        start, stop, step = draw.choice(("", 0, 1, -2)), draw.choice(("", 2, -1, 9)), draw.choice(("", 1, 2, -1))
        return f"{start}:{stop}:{step}"
    draw.require(size)
    kind = draw.choice(("int", "int", "int64", "list", "array", "array", "rows", "mask"))
    if kind == "int":
        return str(draw.integer(-size, size - 1))
    if kind == "int64":
        return draw.constant(numpy.int64(draw.integer(-size, size - 1)))
    if kind == "mask":
        return draw.constant(draw.rng.random(size) < 0.6)
    shape = (2, 2) if kind == "rows" else (draw.integer(1, 3),)
    index = draw.rng.integers(-size, size, shape)
    return str(index.tolist()) if kind == "list" else draw.constant(index)


RARE_INDICES = (
    *("()", "...", "True", "None, False", "numpy.True_", "slice(1, None)", "(0, Ellipsis)", "numpy.s_[::-1]"),
    *("[]", "[[0], [1]]", "([1, 0, 1],)", "[0, 1, 1], None", "[1, 0], ..., [0, 0]", "[0, 1, 0], [[0], [0]]"),
    *("numpy.array(1)", "numpy.array([1, 0], numpy.uint8)", "numpy.array([0, -1, 0], numpy.int8)"),
    *("numpy.array([], int)", "numpy.zeros((2, 0), int)", "numpy.ix_([0, 1], [0, 0])", ":, None, [0, 0]"),
)


def rare_index(draw: Drawing) -> Operation:
    """Rare kinds of indices."""
    x = draw.array(lambda value: value.ndim > 0 and value.shape[0] > 1)
    flags = [bool(row % 2) for row in range(draw.shape(x)[0])]
    return draw.assign(*(f"{x}[{index}]" for index in (*RARE_INDICES, flags)))


def mask(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0)
    if draw.chance(0.5):
        return draw.assign(f"{x}[{draw.constant(draw.rng.random(draw.shape(x)) < 0.5)}]")
    draw.require(away_from(draw.values[x], 0.3))
    return draw.assign(f"{x}[{x} > 0.3]")


def index_from_values(draw: Drawing) -> Operation:
    """An index that is computed from a traced array, and gets no derivative."""
    x = draw.array(lambda value: value.ndim > 0 and value.shape[0] > 0)
    y = draw.array(lambda value: bool(numpy.all(numpy.abs(value) < draw.shape(x)[0])))
    draw.require(_casts_safely(draw, y))
    forms = (f"np.astype({y}, int)", f"{y}.astype(int)", f"{y}.astype(np.int64)")
    return draw.assign(f"{x}[{draw.choice(forms)}]")


def index_from_discrete(draw: Drawing) -> Operation:
    index = draw.discrete(draw.choice("ib"))
    x = draw.array(lambda value: value.ndim > 0)
    value = numpy.asarray(draw.values[index])
    if value.dtype == bool:
        draw.require(value.shape == draw.shape(x)[: value.ndim])
    else:
        draw.require(numpy.all(abs(value) < draw.shape(x)[0]))
    return draw.assign(f"{x}[{index}]")


def rows(draw: Drawing) -> Operation:
    """Iterating and unpacking."""
    x = draw.array(lambda value: value.ndim > 0 and value.shape[0] > 0)
    (new,) = draw.new()
    forms = [
        (f"{new} = 0.0", f"for row in {x}:", f"    {new} = {new} + row * row"),
        (f"{new} = np.stack([np.sum(row * k) for k, row in enumerate({x})])",),
        (f"first, *rest = {x}", f"{new} = first * len({x}) + len(rest)"),
        (f"{new} = sum({x})",),
        (f"{new} = np.stack(list({x})[::-1])",),
    ]
    return Operation((new,), draw.choice(forms))


def unpacked(draw: Drawing) -> Operation:
    x = draw.array(lambda value: value.ndim > 0 and 0 < value.shape[0] < 4)
    names = tuple(draw.new(draw.shape(x)[0]))
    return Operation(names, (f"{', '.join(names)}{',' * (len(names) == 1)} = {x}",))


# -- casting and copying ----------------------------------------------------------------------------------------------


def _casts_safely(draw: Drawing, x: str) -> bool:
    value = numpy.asarray(draw.values[x])
    return away_from(value, 0) and away_from((value + 0.5) % 1, 0.5)


def cast(draw: Drawing) -> Operation:
    x = draw.array()
    dtype = "np.float32" if draw.narrow else draw.choice(("np.float32", "np.float64", "float", "'f8'"))
    forms = [f"{x}.astype({dtype})", f"np.astype({x}, {dtype})", f"np.asarray({x}, {dtype})", f"np.array({x}, {dtype})"]
    return draw.assign(*forms)


def times_cast(draw: Drawing) -> Operation:
    """A product with a cast of the same values to integers or booleans, which is a constant for derivatives."""
    x = draw.array()
    draw.require(_casts_safely(draw, x))
    dtype = "bool" if draw.narrow else draw.choice(("int", "bool", "np.int64"))
    return draw.assign(f"{draw.array()} * {x}.astype({dtype})")


def copied(draw: Drawing) -> Operation:
    x = draw.array()
    shallow = (f"{x}.copy()", f"numpy.copy({x})", f"copy.copy({x})")
    return draw.assign(*shallow, f"copy.deepcopy({x})", f"copy.deepcopy([{x}, {{'a': {x}}}])[1]['a']")


SHAPING = ((reshape, 2), (flat, 1), (transpose, 2), (swapaxes, 1), (expand_dims, 1), (squeeze, 1), (repeat, 1))
JOINING = ((broadcast_to, 1), (concatenate, 2), (concatenate_flat, 1), (stack, 2))
INDEXING = ((indexing, 5), (rare_index, 2), (mask, 1), (index_from_values, 2), (index_from_discrete, 2))
ITERATION = ((rows, 2), (unpacked, 1))
CASTING = ((cast, 1), (times_cast, 2), (copied, 3))

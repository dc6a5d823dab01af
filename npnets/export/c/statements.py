"""Each operation of a program as statements of C.

In every product the inner loop runs over the outputs, which lie one behind the other as the weights do: compilers turn
it into vector instructions without changing the order of a sum.
"""

import functools

import numpy as np

from npnets.export.c.constants import Constants
from npnets.export.c.functions import Functions
from npnets.export.c.layout import Layout, Place
from npnets.export.c.literals import literal
from npnets.export.c.loops import assignment, each, indented, loop
from npnets.export.program import (
    Activate,
    Affine,
    Argmax,
    Clip,
    Combine,
    Concatenate,
    Constant,
    CumulativeSum,
    Floats,
    GroupMean,
    LayerNorm,
    Linear,
    Lstm,
    Normalize,
    Operation,
    Repeat,
    Slice,
    Softmax,
    Transpose,
    Value,
)
from npnets.export.single_precision import rounded_inwards

AT_ONCE = 4
"""Rows of a weight that are added at once."""

SIGNS = {"add": "+", "subtract": "-", "multiply": "*"}


class Statements:
    """The body of the function, operation by operation.

    Parameters
    ----------
    layout : Layout
        Where the values lie.
    constants, functions : Constants, Functions
        Take what the operations use.
    """

    def __init__(self, layout: Layout, constants: Constants, functions: Functions) -> None:
        self.layout, self.constants, self.functions = layout, constants, functions

    def lines(self) -> list[str]:
        """Return the statements of all operations, and of the copies at the end."""
        lines: list[str] = []
        for op in self.layout.operations:
            written = write(op, self)
            is_new_part = bool(lines and written) and written[0].startswith("/*")
            lines += [*[""] * is_new_part, *written]
        for copy in self.layout.copies:
            lines += each(copy.value.size, f"{copy.to.at('j')} = {self.of(copy.value).at('j')};")
        return lines

    def of(self, value: Value) -> Place:
        """Return the place of a value."""
        return self.layout.of(value)

    def pairs(self, x: Value, output: Value) -> tuple[str, str]:
        """Return the same entry of an input and of an output."""
        return self.of(x).at("j"), self.of(output).at("j")


@functools.singledispatch
def write(op: Operation, to: Statements) -> list[str]:
    """Return the statements of an operation."""
    raise TypeError(f"expected an operation of npnets.export.program, but got {op!r}")


@write.register
def _(op: Constant, to: Statements) -> list[str]:
    return []


@write.register
def _(op: Slice, to: Statements) -> list[str]:
    return []


@write.register
def _(op: Linear, to: Statements) -> list[str]:
    name, x, y = op.output.name, to.of(op.x), to.of(op.output)
    start = "0.0f" if op.bias is None else to.constants.entry(f"{name}_bias", op.bias)
    columns_in, columns_out = op.weight.shape
    if op.rows > 1:
        x, y = x.rows("k", columns_in), y.rows("k", columns_out)
    vectors = "" if op.rows == 1 else f", of {op.rows} vectors"
    return [
        f"/* {name}: {columns_in} -> {columns_out}{vectors} */",
        *each(op.rows, *product(to, start, x, f"{name}_weight", op.weight, y), index="k"),
    ]


def product(to: Statements, start: str, x: Place, label: str, weight: Floats, y: Place) -> list[str]:
    """Return the statements of `y = start + x @ weight`.

    Several rows of the weight are added at once, so that `y` is read and written less often; the rows that are left
    over come first.
    """
    rows, columns = weight.shape
    name = to.constants.name(label, weight if columns > 1 else weight[:, 0])
    column = "[j]" if columns > 1 else ""
    first = rows % AT_ONCE if rows > 2 * AT_ONCE else rows
    before = [f"{x.at(i)} * {name}[{i}]{column}" for i in range(first)]
    terms = [*([] if start == "0.0f" and before else [start]), *before]
    lines = each(columns, *assignment(f"{y.at('j')} =", terms)) if terms != [y.at("j")] else []
    if first < rows:
        terms = [f"{x.at(i)} * {name}[{i}]{column}" for i in ("i", *(f"i + {i}" for i in range(1, AT_ONCE)))]
        block = each(columns, *assignment(f"{y.at('j')} +=", terms))
        lines += loop(f"int i = {first}; i < {rows}; i += {AT_ONCE}", block)
    return lines


@write.register
def _(op: Activate, to: Statements) -> list[str]:
    x, y = to.pairs(op.x, op.output)
    return each(op.output.size, f"{y} = {to.functions.activate(op, x)};")


@write.register
def _(op: LayerNorm, to: Statements) -> list[str]:
    name, size = op.output.name, op.output.size
    x, y = to.pairs(op.x, op.output)
    normal = f"({x} - average) * factor"
    terms = [normal if op.weight is None else f"{normal} * {to.constants.entry(f'{name}_weight', op.weight)}"]
    if op.bias is not None:
        terms.append(to.constants.entry(f"{name}_bias", op.bias))
    return [
        f"/* {name}: layer normalization */",
        "{",
        "    float average = 0.0f, squares = 0.0f;",
        *indented(each(size, f"average += {x};")),
        f"    average /= {literal(size)};",
        *indented(each(size, f"squares += ({x} - average) * ({x} - average);")),
        f"    const float factor = 1.0f / sqrtf(squares / {literal(size)} + {literal(op.epsilon)});",
        *indented(each(size, *assignment(f"{y} =", terms))),
        "}",
    ]


@write.register
def _(op: Normalize, to: Statements) -> list[str]:
    name = op.output.name
    x, y = to.pairs(op.x, op.output)
    nearest = op.mean.astype(np.float32)
    rest = op.mean - nearest
    centred = [x, to.constants.entry(f"{name}_mean", nearest)]
    if np.any(rest.astype(np.float32)):
        centred.append(to.constants.entry(f"{name}_rest_of_mean", rest))
    factor = np.minimum(1 / op.deviation, np.finfo(np.float32).max)
    scaled = f"centred * {to.constants.entry(f'{name}_factor', factor)}"
    if op.limit is not None:
        scaled = to.functions.call("clip", scaled, literal(-op.limit), literal(op.limit))
    statements = (f"const float centred = {' - '.join(centred)};", f"{y} = {scaled};")
    return [f"/* {name}: normalized observations */", *each(op.output.size, *statements)]


@write.register
def _(op: Affine, to: Statements) -> list[str]:
    name = op.output.name
    x, y = to.pairs(op.x, op.output)
    scale, offset = (
        to.constants.entry(f"{name}_{label}", values) for label, values in (("scale", op.scale), ("offset", op.offset))
    )
    terms = [offset] * (offset != "0.0f") + [x if scale == "1.0f" else f"{scale} * {x}"]
    return each(op.output.size, *assignment(f"{y} =", terms))


@write.register
def _(op: Clip, to: Statements) -> list[str]:
    name = op.output.name
    x, y = to.pairs(op.x, op.output)
    low, high = map(to.constants.entry, (f"{name}_low", f"{name}_high"), rounded_inwards(op))
    return each(op.output.size, f"{y} = {to.functions.call('clip', x, low, high)};")


@write.register
def _(op: Combine, to: Statements) -> list[str]:
    x, z, y = (to.of(value).at("j") for value in (op.x, op.y, op.output))
    return each(op.output.size, f"{y} = {x} {SIGNS[op.how]} {z};")


@write.register
def _(op: Concatenate, to: Statements) -> list[str]:
    lines, whole = [], to.of(op.output)
    for part in op.parts:
        if to.of(part) != whole:
            lines += each(part.size, f"{whole.at('j')} = {to.of(part).at('j')};")
        whole = Place(whole.array, whole.offset + part.size)
    return lines


@write.register
def _(op: Repeat, to: Statements) -> list[str]:
    x, y = to.of(op.x), to.of(op.output)
    times = op.output.size // op.x.size
    row = y if times == 1 else y.rows("i", op.x.size)
    return each(times, *each(op.x.size, f"{row.at('j')} = {x.at('j')};"), index="i")


@write.register
def _(op: Transpose, to: Statements) -> list[str]:
    columns = op.x.size // op.rows
    x, y = to.of(op.x).rows("i", columns), to.of(op.output).rows("j", op.rows)
    return each(op.rows, *each(columns, f"{y.at('i')} = {x.at('j')};"), index="i")


@write.register
def _(op: GroupMean, to: Statements) -> list[str]:
    size = op.output.size
    x, y = to.of(op.x).rows("i", size).at("j"), to.of(op.output).at("j")
    return [
        f"/* {op.output.name}: mean of {op.groups} */",
        *each(size, f"{y} = 0.0f;"),
        *each(op.groups, *each(size, f"{y} += {x};"), index="i"),
        *each(size, f"{y} /= {literal(op.groups)};"),
    ]


@write.register
def _(op: Softmax, to: Statements) -> list[str]:
    size = op.output.size // op.groups
    x, y = to.of(op.x).rows("i", size), to.of(op.output).rows("i", size)
    body = [
        f"float largest = {x.at(0)}, sum = 0.0f;",
        *each(size, f"largest = {x.at('j')} > largest ? {x.at('j')} : largest;"),
        *each(size, f"{y.at('j')} = expf({x.at('j')} - largest);", f"sum += {y.at('j')};"),
        *each(size, f"{y.at('j')} /= sum;"),
    ]
    return [f"/* {op.output.name}: softmax */", *each(op.groups, *body, index="i")]


@write.register
def _(op: CumulativeSum, to: Statements) -> list[str]:
    x, y = to.pairs(op.x, op.output)
    return ["{", "    float sum = 0.0f;", *indented(each(op.output.size, f"sum += {x};", f"{y} = sum;")), "}"]


@write.register
def _(op: Argmax, to: Statements) -> list[str]:
    rows, columns = op.output.size, op.x.size // op.output.size
    x = to.of(op.x).rows("i", columns)
    body = [
        "int best = 0;",
        *each(columns, f"best = {x.at('j')} > {x.at('best')} ? j : best;"),
        f"{to.of(op.output).at('i')} = best;",
    ]
    return [f"/* {op.output.name}: the index of the largest entry */", *each(rows, *body, index="i")]


@write.register
def _(op: Lstm, to: Statements) -> list[str]:
    name, size = op.output.name, op.output.size
    gates = to.layout.gates[name]
    start = "0.0f" if op.bias is None else to.constants.entry(f"{name}_bias", op.bias)
    return [
        f"/* {name}: one step of an LSTM, {op.x.size} -> {size} */",
        *product(to, start, to.of(op.x), f"{name}_input_weight", op.input_weight, gates),
        *product(to, gates.at("j"), to.of(op.hidden), f"{name}_hidden_weight", op.hidden_weight, gates),
        to.functions.call_on_vectors("lstm", size, gates, to.of(op.cell), *_new_states(op, to, gates)),
    ]


def _new_states(op: Lstm, to: Statements, gates: Place) -> list[Place]:
    """Return where the new hidden and cell states go: one that nothing reads, over the gates."""
    return [to.layout.places.get(value.name, gates) for value in (op.output, op.new_cell)]

"""Each operation of a program as operators of ONNX."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnets.export import program as ops
from npnets.export.onnx.activations import activate
from npnets.export.onnx.graph import Graph
from npnets.export.program import Floats, Operation, Value
from npnets.export.single_precision import rounded_inwards

_SIZE = 1
"""The axis behind the batch's."""


class Translation:
    """Adds operations to a graph, and knows which tensor holds which value of the program.

    Parameters
    ----------
    graph : Graph
    inputs : dict
        The tensors of the program's inputs by the names of their values.
    outputs : set of str
        The names of the values that go out.
    """

    def __init__(self, graph: Graph, inputs: dict[str, str], outputs: set[str]) -> None:
        self.graph = graph
        self.tensors = inputs
        self.outputs = outputs

    def add(self, operation: Operation) -> None:
        """Add one operation, whose inputs were added before."""
        self.graph.scope = operation.output.name
        self.tensors[operation.output.name] = SUPPORTED[type(operation)](self, operation)

    def of(self, value: Value) -> str:
        """Return the tensor that holds a value."""
        return self.tensors[value.name]


def _constant(at: Translation, operation: ops.Constant) -> str:
    return at.graph.row(operation.value, "value")


def _linear(at: Translation, operation: ops.Linear) -> str:
    graph, x, rows = at.graph, at.of(operation.x), operation.rows
    if rows == 1:
        return _product(graph, x, operation.weight, operation.bias)
    y = graph.add("MatMul", graph.reshape(x, rows, len(operation.weight)), graph.floats(operation.weight, "weight"))
    if operation.bias is not None:
        y = graph.add("Add", y, graph.floats(operation.bias, "bias"))
    return graph.reshape(y, operation.output.size)


def _product(graph: Graph, x: str, weight: Floats, bias: Floats | None) -> str:
    inputs = [x, graph.floats(weight, "weight")] + ([] if bias is None else [graph.floats(bias, "bias")])
    return graph.add("Gemm", *inputs)


def _activate(at: Translation, operation: ops.Activate) -> str:
    y = activate(at.graph, at.of(operation.x), operation.function, operation.args)
    if operation.function == "tanh" and operation.output.name in at.outputs:
        # A runtime's Tanh may be 1.0000002, and an action keeps within its bounds.
        return at.graph.add("Clip", y, at.graph.number(-1), at.graph.number(1))
    return y


def _layer_norm(at: Translation, operation: ops.LayerNorm) -> str:
    # By its parts: runtimes compute LayerNormalization in one pass, which loses the digits of a large mean.
    graph, x = at.graph, at.of(operation.x)
    centered = graph.add("Sub", x, graph.add("ReduceMean", x, axes=(_SIZE,)))
    variance = graph.add("ReduceMean", graph.add("Mul", centered, centered), axes=(_SIZE,))
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.number(operation.epsilon)))
    y = graph.add("Div", centered, deviation)
    if operation.weight is not None:
        y = graph.add("Mul", y, graph.floats(operation.weight, "weight"))
    return y if operation.bias is None else graph.add("Add", y, graph.floats(operation.bias, "bias"))


def _normalize(at: Translation, operation: ops.Normalize) -> str:
    graph, mean = at.graph, operation.mean
    rest = mean - mean.astype(np.float32)
    centered = graph.add("Sub", at.of(operation.x), graph.row(mean, "mean"))
    if rest.any():
        centered = graph.add("Sub", centered, graph.row(rest, "rest_of_mean"))
    y = graph.add("Div", centered, graph.row(operation.deviation, "deviation"))
    if operation.limit is None:
        return y
    return graph.add("Clip", y, graph.number(-operation.limit), graph.number(operation.limit))


def _affine(at: Translation, operation: ops.Affine) -> str:
    graph, y = at.graph, at.of(operation.x)
    if (operation.scale != 1).any():
        y = graph.add("Mul", y, graph.row(operation.scale, "scale"))
    return graph.add("Add", y, graph.row(operation.offset, "offset")) if operation.offset.any() else y


def _clip(at: Translation, operation: ops.Clip) -> str:
    graph, y = at.graph, at.of(operation.x)
    low, high = rounded_inwards(operation)
    if (low == low[0]).all() and (high == high[0]).all():
        return graph.add("Clip", y, graph.number(low[0]), graph.number(high[0]))
    if (low > -np.inf).any():
        y = graph.add("Max", y, graph.row(low, "low"))
    return graph.add("Min", y, graph.row(high, "high")) if (high < np.inf).any() else y


def _combine(at: Translation, operation: ops.Combine) -> str:
    return at.graph.add(_COMBINE[operation.how], at.of(operation.x), at.of(operation.y))


_COMBINE = {"add": "Add", "subtract": "Sub", "multiply": "Mul"}


def _concatenate(at: Translation, operation: ops.Concatenate) -> str:
    return _joined(at.graph, [at.of(part) for part in operation.parts])


def _joined(graph: Graph, parts: list[str]) -> str:
    if any(map(graph.is_batched, parts)):
        parts = [graph.rows(part) for part in parts]
    return graph.add("Concat", *parts, axis=_SIZE)


def _slice(at: Translation, operation: ops.Slice) -> str:
    integers, end = at.graph.integers, operation.start + operation.output.size
    return at.graph.add("Slice", at.of(operation.x), integers(operation.start), integers(end), integers(_SIZE))


def _repeat(at: Translation, operation: ops.Repeat) -> str:
    times = operation.output.size // operation.x.size
    return at.graph.add("Tile", at.of(operation.x), at.graph.integers(1, times))


def _transpose(at: Translation, operation: ops.Transpose) -> str:
    graph, size = at.graph, operation.output.size
    matrix = graph.reshape(at.of(operation.x), operation.rows, size // operation.rows)
    return graph.reshape(graph.add("Transpose", matrix, perm=(0, 2, 1)), size)


def _group_mean(at: Translation, operation: ops.GroupMean) -> str:
    groups = at.graph.reshape(at.of(operation.x), operation.groups, operation.output.size)
    return at.graph.add("ReduceMean", groups, axes=(_SIZE,), keepdims=0)


def _softmax(at: Translation, operation: ops.Softmax) -> str:
    graph, x, size = at.graph, at.of(operation.x), operation.output.size
    if operation.groups == 1:
        return graph.add("Softmax", x, axis=-1)
    grouped = graph.reshape(x, operation.groups, size // operation.groups)
    return graph.reshape(graph.add("Softmax", grouped, axis=-1), size)


def _cumulative_sum(at: Translation, operation: ops.CumulativeSum) -> str:
    return at.graph.add("CumSum", at.of(operation.x), at.graph.integers(_SIZE))


def _argmax(at: Translation, operation: ops.Argmax) -> str:
    graph, rows = at.graph, operation.output.size
    grouped = graph.reshape(at.of(operation.x), rows, operation.x.size // rows)
    return graph.add("ArgMax", grouped, axis=2, keepdims=0)


def _lstm(at: Translation, operation: ops.Lstm) -> str:
    # By its parts, whose weights have the order of npnets; the operator LSTM has another, and an axis of steps.
    graph, cell = at.graph, at.of(operation.cell)
    from_input = _product(graph, at.of(operation.x), operation.input_weight, operation.bias)
    from_hidden = _product(graph, at.of(operation.hidden), operation.hidden_weight, None)
    i, f, g, o = graph.split(graph.add("Add", from_input, from_hidden), 4)
    kept = graph.add("Mul", graph.add("Sigmoid", f), cell)
    added = graph.add("Mul", graph.add("Sigmoid", i), graph.add("Tanh", g))
    new_cell = graph.add("Add", kept, added)
    at.tensors[operation.new_cell.name] = new_cell
    return graph.add("Mul", graph.add("Sigmoid", o), graph.add("Tanh", new_cell))


SUPPORTED: dict[type[Operation], Callable[[Translation, Any], str]] = {
    ops.Constant: _constant,
    ops.Linear: _linear,
    ops.Activate: _activate,
    ops.LayerNorm: _layer_norm,
    ops.Normalize: _normalize,
    ops.Affine: _affine,
    ops.Clip: _clip,
    ops.Combine: _combine,
    ops.Concatenate: _concatenate,
    ops.Slice: _slice,
    ops.Repeat: _repeat,
    ops.Transpose: _transpose,
    ops.GroupMean: _group_mean,
    ops.Softmax: _softmax,
    ops.CumulativeSum: _cumulative_sum,
    ops.Argmax: _argmax,
    ops.Lstm: _lstm,
}
"""The function that adds each kind of operation and returns the tensor that holds its output."""

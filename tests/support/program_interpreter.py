"""Programs run by NumPy, in float64 and for a batch: the reference for programs themselves.

Every vector is an array `(n, size)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets import functional
from npnets.export import program
from npnets.export.program import Program

Vectors = dict[str, NDArray[Any]]


def run(compiled: Program, *inputs: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the outputs for a batch, and then the states after the step.

    `inputs` are those of the ports, and then the states before; each has an axis of the batch in front.
    """
    before = [*compiled.inputs, *(state.before for state in compiled.states)]
    vectors: Vectors = {}
    for port, array in zip(before, inputs, strict=True):
        assert array.shape[1:] == port.shape, (port, array.shape)
        vectors[port.value.name] = np.asarray(array, np.float64).reshape(len(array), -1)
    for operation in compiled.operations:
        output = operation.output
        assert output.name not in vectors, output
        vectors[output.name] = _RUN[type(operation)](operation, vectors, len(inputs[0]))
        assert vectors[output.name].shape == (len(inputs[0]), output.size), output
    after = [*compiled.outputs, *(state.after for state in compiled.states)]
    return tuple(vectors[port.value.name].reshape(-1, *port.shape) for port in after)


def _linear(o: program.Linear, v: Vectors, n: int) -> NDArray[Any]:
    y = v[o.x.name].reshape(n * o.rows, -1) @ o.weight.astype(np.float64)
    return (y if o.bias is None else y + o.bias).reshape(n, -1)


def _activate(o: program.Activate, v: Vectors, n: int) -> NDArray[Any]:
    x = v[o.x.name]
    plain: dict[str, Any] = {"exp": np.exp, "cos": np.cos}
    y: NDArray[Any] = plain[o.function](x) if o.function in plain else getattr(functional, o.function)(x, *o.args)
    return y


def _layer_norm(o: program.LayerNorm, v: Vectors, n: int) -> NDArray[Any]:
    x = v[o.x.name]
    y = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + o.epsilon)
    y = y if o.weight is None else y * o.weight
    return y if o.bias is None else y + o.bias


def _normalize(o: program.Normalize, v: Vectors, n: int) -> NDArray[Any]:
    y = (v[o.x.name] - o.mean) / o.deviation
    return y if o.limit is None else np.clip(y, -o.limit, o.limit)


def _combine(o: program.Combine, v: Vectors, n: int) -> NDArray[Any]:
    functions: dict[str, Callable[..., NDArray[Any]]] = {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
    }
    assert o.x.size == o.y.size == o.output.size
    return functions[o.how](v[o.x.name], v[o.y.name])


def _softmax(o: program.Softmax, v: Vectors, n: int) -> NDArray[Any]:
    x = v[o.x.name].reshape(n, o.groups, -1)
    y = np.exp(x - x.max(2, keepdims=True))
    return (y / y.sum(2, keepdims=True)).reshape(n, -1)


def _sigmoid(z: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-z))


def _lstm(o: program.Lstm, v: Vectors, n: int) -> NDArray[Any]:
    x, hidden, cell = (v[value.name] for value in (o.x, o.hidden, o.cell))
    gates = x @ o.input_weight.astype(np.float64) + hidden @ o.hidden_weight.astype(np.float64)
    i, f, g, out = np.split(gates if o.bias is None else gates + o.bias, 4, 1)
    v[o.new_cell.name] = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
    y: NDArray[Any] = _sigmoid(out) * np.tanh(v[o.new_cell.name])
    return y


_RUN: dict[type, Callable[..., NDArray[Any]]] = {
    program.Constant: lambda o, v, n: np.tile(o.value, (n, 1)),
    program.Linear: _linear,
    program.Activate: _activate,
    program.LayerNorm: _layer_norm,
    program.Normalize: _normalize,
    program.Affine: lambda o, v, n: o.offset + o.scale * v[o.x.name],
    program.Clip: lambda o, v, n: np.clip(v[o.x.name], o.low, o.high),
    program.Combine: _combine,
    program.Concatenate: lambda o, v, n: np.concatenate([v[part.name] for part in o.parts], 1),
    program.Slice: lambda o, v, n: v[o.x.name][:, o.start : o.start + o.output.size],
    program.Repeat: lambda o, v, n: np.tile(v[o.x.name], (1, o.output.size // o.x.size)),
    program.Transpose: lambda o, v, n: v[o.x.name].reshape(n, o.rows, -1).swapaxes(1, 2).reshape(n, -1),
    program.GroupMean: lambda o, v, n: v[o.x.name].reshape(n, o.groups, -1).mean(1),
    program.Softmax: _softmax,
    program.CumulativeSum: lambda o, v, n: np.cumsum(v[o.x.name], 1),
    program.Argmax: lambda o, v, n: v[o.x.name].reshape(n, o.output.size, -1).argmax(2),
    program.Lstm: _lstm,
}

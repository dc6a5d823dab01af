"""Programs of `npnets.export` by their definition: what every writer's file must compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from npnets.export import program as ops
from npnets.export.program import Operation, Program
from npnets.functional import resolve_activation

Array = NDArray[Any]
Values = dict[str, Array]


def interpret(program: Program, inputs: Mapping[str, Array], dtype: Any = np.float64) -> Values:
    """Return the outputs of a program by the names of its ports; a state's is `next_hidden` for `hidden`.

    Parameters
    ----------
    program : Program
    inputs : dict
        By the names of ports and states, with an axis of cases in front. A state that is missing is zero.
    dtype : dtype
        In which everything is computed.
    """
    cases = len(next(iter(inputs.values())))
    values: Values = {}
    for port in [*program.inputs, *(state.before for state in program.states)]:
        given = inputs.get(port.name, np.zeros((cases, *port.shape)))
        assert given.shape == (cases, *port.shape), port
        values[port.value.name] = given.astype(dtype).reshape(cases, -1)
    with np.errstate(all="ignore"):
        for operation in program.operations:
            _run(operation, values, cases, dtype)
    after = [port_after._replace(name=f"next_{port_after.name}") for _, port_after in program.states]
    return {port.name: values[port.value.name].reshape(cases, *port.shape) for port in [*program.outputs, *after]}


def random_inputs(program: Program, cases: int = 3) -> Values:
    """Return normal inputs and states by name, with an axis of cases in front."""
    rng = np.random.default_rng(0)
    ports = [*program.inputs, *(state.before for state in program.states)]
    return {port.name: rng.normal(size=(cases, *port.shape)).astype(np.float32) for port in ports}


def check_outputs(program: Program, inputs: Mapping[str, Array], found: Mapping[str, Array]) -> None:
    """Compare what a file computed in float32 with the program's definition."""
    expected, rounded = interpret(program, inputs), interpret(program, inputs, np.float32)
    assert found.keys() == expected.keys()
    for name, exact in expected.items():
        # Rounding to float32 alone may move an output of a long program further than one rounding.
        tolerance = 2e-6 * max(1, np.abs(exact).max()) + 4 * np.abs(rounded[name] - exact).max()
        np.testing.assert_allclose(found[name], exact, rtol=0, atol=tolerance, err_msg=name)


def _run(operation: Operation, values: Values, cases: int, dtype: Any) -> None:
    output = operation.output
    x = values[operation.x.name] if hasattr(operation, "x") else np.empty((cases, 0), dtype)
    result = _RUN[type(operation)](operation, x, values)
    assert result.shape == (cases, output.size), operation
    values[output.name] = result if output.kind == "index" else result.astype(dtype)


def _linear(operation: ops.Linear, x: Array, values: Values) -> Array:
    rows = x.reshape(len(x), operation.rows, -1) @ operation.weight.astype(x.dtype)
    return _plus(rows, operation.bias).reshape(len(x), -1)


def _plus(x: Array, bias: Array | None) -> Array:
    return x if bias is None else x + bias.astype(x.dtype)


def _activate(operation: ops.Activate, x: Array, values: Values) -> Array:
    if operation.function in ("exp", "cos"):
        return getattr(np, operation.function)(x)
    return resolve_activation(operation.function, operation.args)(x)


def _layer_norm(operation: ops.LayerNorm, x: Array, values: Values) -> Array:
    y = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + x.dtype.type(operation.epsilon))
    return _plus(y if operation.weight is None else y * operation.weight.astype(x.dtype), operation.bias)


def _normalize(operation: ops.Normalize, x: Array, values: Values) -> Array:
    y = (x - operation.mean) / operation.deviation  # in float64
    return y if operation.limit is None else np.clip(y, -operation.limit, operation.limit)


def _group_mean(operation: ops.GroupMean, x: Array, values: Values) -> Array:
    return x.reshape(len(x), operation.groups, operation.output.size).mean(1)


def _lstm(operation: ops.Lstm, x: Array, values: Values) -> Array:
    weights = operation.input_weight.astype(x.dtype), operation.hidden_weight.astype(x.dtype)
    gates = _plus(x @ weights[0] + values[operation.hidden.name] @ weights[1], operation.bias)
    i, f, g, o = np.split(gates, 4, 1)
    new_cell = _sigmoid(f) * values[operation.cell.name] + _sigmoid(i) * np.tanh(g)
    values[operation.new_cell.name] = new_cell
    return _sigmoid(o) * np.tanh(new_cell)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


_COMBINE = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}
_RUN: dict[type[Operation], Callable[[Any, Array, Values], Array]] = {
    ops.Constant: lambda at, x, values: np.tile(at.value.astype(x.dtype), (len(x), 1)),
    ops.Linear: _linear,
    ops.Activate: _activate,
    ops.LayerNorm: _layer_norm,
    ops.Normalize: _normalize,
    ops.Affine: lambda at, x, values: at.offset.astype(x.dtype) + at.scale.astype(x.dtype) * x,
    ops.Clip: lambda at, x, values: np.clip(x, at.low, at.high),
    ops.Combine: lambda at, x, values: _COMBINE[at.how](x, values[at.y.name]),
    ops.Concatenate: lambda at, x, values: np.concatenate([values[part.name] for part in at.parts], 1),
    ops.Slice: lambda at, x, values: x[:, at.start : at.start + at.output.size],
    ops.Repeat: lambda at, x, values: np.tile(x, (1, at.output.size // at.x.size)),
    ops.Transpose: lambda at, x, values: x.reshape(len(x), at.rows, -1).swapaxes(1, 2).reshape(len(x), -1),
    ops.GroupMean: _group_mean,
    ops.Softmax: lambda at, x, values: softmax(x.reshape(len(x), at.groups, -1), 2).reshape(x.shape),
    ops.CumulativeSum: lambda at, x, values: np.cumsum(x, 1),
    ops.Argmax: lambda at, x, values: x.reshape(len(x), at.output.size, -1).argmax(2),
    ops.Lstm: _lstm,
}

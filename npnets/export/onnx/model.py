"""A program as one ONNX file: its tensors `(batch, *shape)`, its operators, and what the file says about itself.

Inputs and outputs are named as the ports. A state comes in under its own name, such as `hidden`, and goes out as
`next_hidden`.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

import npnets
from npnets.export.onnx import messages
from npnets.export.onnx.graph import Graph
from npnets.export.onnx.operations import Translation
from npnets.export.program import Port, Program, SelfTest

BATCH = "batch"
NEXT = "next_"


def write(program: Program) -> bytes:
    """Return the file of a program."""
    inputs = [*program.inputs, *(state.before for state in program.states)]
    outputs = [*program.outputs, *(_renamed(state.after) for state in program.states)]
    graph = Graph((port.name for port in inputs), (port.name for port in outputs))
    translation = Translation(graph, {port.value.name: _flat(graph, port) for port in inputs})
    for operation in program.operations:
        translation.add(operation)
    for port in outputs:
        _put_out(translation, port)
    encoded = messages.graph(program.name, graph.nodes, graph.constants, map(_info, inputs), map(_info, outputs))
    return messages.model(encoded, ("npnets", npnets.__version__), _description(program), _metadata(program))


def _renamed(after: Port) -> Port:
    return after._replace(name=NEXT + after.name)


def _flat(graph: Graph, port: Port) -> str:
    graph.scope = port.name
    return port.name if len(port.shape) == 1 else graph.add("Flatten", port.name)


def _put_out(translation: Translation, port: Port) -> None:
    graph = translation.graph
    graph.scope = port.name
    value = graph.rows(translation.of(port.value))
    if len(port.shape) == 1:
        graph.add("Identity", value, output=port.name)
    else:
        graph.add("Reshape", value, graph.integers(0, *port.shape), output=port.name)


def _info(port: Port) -> bytes:
    kind = messages.INT64 if port.value.kind == "index" else messages.FLOAT
    return messages.value_info(port.name, kind, (BATCH, *port.shape))


def _description(program: Program) -> str:
    return (
        f"{program.description}, written by npnets {npnets.__version__}. Every input and output has a batch axis in "
        'front. The entry "self_test" of the metadata holds inputs with their outputs as JSON.'
    )


def _metadata(program: Program) -> dict[str, str]:
    return {
        "npnets_version": npnets.__version__,
        "name": program.name,
        "description": program.description,
        "parameters": str(program.parameters),
        "self_test": _self_test(program),
    }


def _self_test(program: Program) -> str:
    """Return the cases of the self-test as JSON: lists of cases by the names of inputs and outputs."""
    states = [state.before.name for state in program.states]
    test: SelfTest = program.self_test
    inputs = [*(port.name for port in program.inputs), *states]
    outputs = [*(port.name for port in program.outputs), *(NEXT + name for name in states)]
    cases = {"inputs": _named(inputs, test.inputs), "outputs": _named(outputs, test.outputs)}
    return json.dumps(cases)


def _named(names: list[str], arrays: tuple[NDArray[Any], ...]) -> dict[str, Any]:
    return {name: _listed(array) for name, array in zip(names, arrays, strict=bool(arrays))}


def _listed(array: NDArray[Any]) -> Any:
    """Return nested lists of numbers that read as the shortest decimals of their float32."""
    if array.dtype.kind != "f":
        return array.tolist()
    return np.array([float(str(x)) for x in array.astype(np.float32).ravel()]).reshape(array.shape).tolist()

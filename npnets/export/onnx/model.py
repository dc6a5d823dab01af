"""A program as one ONNX file: its tensors `(batch, *shape)`, its operators, and what the file says about itself.

Inputs and outputs are named as the ports. A state comes in under its own name, such as `hidden`, and goes out as
`next_hidden`.
"""

import npnets
from npnets.export.onnx import messages
from npnets.export.onnx.graph import Graph
from npnets.export.onnx.operations import Translation
from npnets.export.onnx.self_test import KEY, NEXT, cases_as_json
from npnets.export.program import Port, Program

BATCH = "batch"


def write(program: Program) -> bytes:
    """Return the file of a program."""
    inputs = [*program.inputs, *(state.before for state in program.states)]
    outputs = [*program.outputs, *(_renamed(state.after) for state in program.states)]
    graph = Graph((port.name for port in inputs), (port.name for port in outputs))
    tensors = {port.value.name: _flat(graph, port) for port in inputs}
    translation = Translation(graph, tensors, {port.value.name for port in outputs})
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
        KEY: cases_as_json(program),
    }

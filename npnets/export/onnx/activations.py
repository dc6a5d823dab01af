"""Activations as operators: `z` is the name of their input, the result that of their output.

Where an operator of the same name loses digits in its tail, the function is put together from others: runtimes compute
Sigmoid by an approximation whose error is absolute, which a product with a large `z` would magnify.
"""

import math
from collections.abc import Callable

from npnets.export.onnx.graph import Graph


def activate(graph: Graph, z: str, function: str, args: tuple[float | str, ...]) -> str:
    """Add an activation of npnets by its name, with all its arguments."""
    return _ACTIVATIONS[function](graph, z, *args)


def _operator(name: str) -> Callable[[Graph, str], str]:
    return lambda graph, z: graph.add(name, z)


def _leaky_relu(graph: Graph, z: str, negative_slope: float) -> str:
    return graph.add("LeakyRelu", z, alpha=float(negative_slope))


def _elu(graph: Graph, z: str, alpha: float) -> str:
    return graph.add("Elu", z, alpha=float(alpha))


def _celu(graph: Graph, z: str, alpha: float) -> str:
    return graph.add("Celu", z, alpha=float(alpha))


def _silu(graph: Graph, z: str) -> str:
    return _times_sigmoid(graph, z, z)


def _times_sigmoid(graph: Graph, z: str, v: str) -> str:
    """`z * sigmoid(v) = z / (1 + exp(-v))`."""
    return graph.add("Div", z, graph.add("Add", graph.add("Exp", graph.add("Neg", v)), graph.number(1)))


def _softplus(graph: Graph, z: str, beta: float, threshold: float) -> str:
    scaled = z if beta == 1 else graph.add("Mul", z, graph.number(beta))
    smooth = graph.add("Softplus", scaled)
    if beta != 1:
        smooth = graph.add("Div", smooth, graph.number(beta))
    if threshold >= _STRAIGHT:
        return smooth
    return graph.add("Where", graph.add("Greater", scaled, graph.number(threshold)), z, smooth)


_STRAIGHT = 20.0
"""From where float32 cannot tell softplus from its input."""


def _gelu(graph: Graph, z: str, approximate: str) -> str:
    if approximate == "tanh":  # z (1 + tanh(v / 2)) / 2 = z sigmoid(v), v = sqrt(8 / pi) (z + 0.044715 z z z)
        root = math.sqrt(8 / math.pi)
        square = graph.add("Mul", graph.add("Mul", z, z), graph.number(root * 0.044715))
        return _times_sigmoid(graph, z, graph.add("Mul", z, graph.add("Add", square, graph.number(root))))
    erf = graph.add("Erf", graph.add("Mul", z, graph.number(math.sqrt(0.5))))
    half = graph.add("Mul", z, graph.number(0.5))  # first, because twice a large number is infinite
    return graph.add("Mul", half, graph.add("Add", erf, graph.number(1)))


def _mish(graph: Graph, z: str) -> str:
    return graph.add("Mul", z, graph.add("Tanh", graph.add("Softplus", z)))


def _logsigmoid(graph: Graph, z: str) -> str:
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", z)))


def _hardtanh(graph: Graph, z: str, low: float, high: float) -> str:
    return graph.add("Clip", z, graph.number(low), graph.number(high))


def _relu6(graph: Graph, z: str) -> str:
    return _hardtanh(graph, z, 0, 6)


def _hardsigmoid(graph: Graph, z: str) -> str:
    return graph.add("HardSigmoid", z, alpha=1 / 6, beta=0.5)


def _hardswish(graph: Graph, z: str) -> str:
    return graph.add("Mul", z, _hardsigmoid(graph, z))


def _clipped_exp(graph: Graph, z: str, low: float, high: float) -> str:
    return graph.add("Exp", _hardtanh(graph, z, low, high))


_ACTIVATIONS: dict[str, Callable[..., str]] = {
    "relu": _operator("Relu"),
    "tanh": _operator("Tanh"),
    "sigmoid": _operator("Sigmoid"),
    "exp": _operator("Exp"),
    "cos": _operator("Cos"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "silu": _silu,
    "softplus": _softplus,
    "gelu": _gelu,
    "selu": _operator("Selu"),
    "celu": _celu,
    "softsign": _operator("Softsign"),
    "mish": _mish,
    "logsigmoid": _logsigmoid,
    "relu6": _relu6,
    "hardtanh": _hardtanh,
    "hardsigmoid": _hardsigmoid,
    "hardswish": _hardswish,
    "clipped_exp": _clipped_exp,
}

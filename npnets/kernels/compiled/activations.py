"""Activations in C: by themselves, and the numbers by which the kernels know them; see `kernels.activations`."""

from typing import Any

import numpy as np

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.activation_formulas import by_tanh
from npnets.kernels.compiled.native import native
from npnets.underflow import ignoring_underflow

_NAMES = ("relu", "leaky_relu", "tanh", "sigmoid", "silu", "softplus", "elu", "clipped_exp", "gelu")
_GELU_BY_TANH = len(_NAMES) + 1
_LATER_NAMES = (*("selu", "celu", "mish", "relu6", "hardtanh", "softsign", "hardsigmoid", "hardswish", "logsigmoid"),)
_NUMBERS = {name: number for number, name in enumerate((*_NAMES, "gelu by tanh", *_LATER_NAMES), 1)}


def code_of(name: str, args: tuple[Any, ...]) -> tuple[int, float, float]:
    """Return the number of a named activation, and its arguments, with zeros for those that it does not have."""
    if name == "gelu":
        return (_GELU_BY_TANH if by_tanh(args[0]) else _NUMBERS[name]), 0.0, 0.0
    first, second = (*map(float, args), 0.0, 0.0)[:2]
    return _NUMBERS[name], first, second


def pair_beside(pair: Pair) -> Pair | None:
    """Return the pair in C, beside that of NumPy, which computes other dtypes; `None` without the extension module."""
    if native is None:
        return None
    numpy_forward = ignoring_underflow(pair.forward)

    def forward(z: Array, *, activation: Any) -> tuple[Array, Array]:
        z = np.asarray(z)  # a scalar is no array
        if z.dtype.char not in "fd":
            return numpy_forward(z, activation=activation)
        y = native.activation_forward(activation, z)
        return y, y

    return Pair(forward, _backward)


def _backward(g: Array, y: Array, argnums: tuple[int, ...], z: Array, *, activation: Any) -> tuple[Array]:
    return (native.activation_backward(activation, np.asarray(g), y, np.asarray(z)),)

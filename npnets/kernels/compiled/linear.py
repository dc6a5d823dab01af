"""Linear layers and their activations in C: see `kernels.linear` for the symbols."""

from typing import Any

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native

_Residuals = tuple[Array, Array]
"""The output of the last layer, and one array with that of each other layer, and `z` where a derivative needs it."""


def _forward(*arrays: Any, activations: Any) -> tuple[Array, _Residuals]:
    residuals = native.linear_forward(activations, True, *arrays)
    return residuals[0], residuals


def _backward(
    g: Array, residuals: _Residuals, argnums: tuple[int, ...], *arrays: Any, activations: Any
) -> tuple[Array, ...]:
    return native.linear_backward(activations, argnums, g, *residuals, *arrays)


def _evaluate(*arrays: Any, activations: Any) -> Array:
    return native.linear_forward(activations, False, *arrays)


PAIR = None if native is None else Pair(_forward, _backward, _evaluate)

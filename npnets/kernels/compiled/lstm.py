"""One layer of an LSTM over a sequence in C: see `kernels.lstm` for the symbols."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native

_Mask = Array | None
_Outputs = tuple[Array, Array, Array]


def _forward(*args: Array, reset: _Mask, valid: _Mask) -> tuple[_Outputs, Array]:
    outputs, h, c, residuals = native.lstm_forward(True, *args, reset, valid)
    return (outputs, h, c), residuals


def _backward(
    g: list[Array | None], residuals: Array, argnums: tuple[int, ...], *args: Array, reset: _Mask, valid: _Mask
) -> tuple[Array, ...]:
    cotangents: tuple[Array, ...] = native.lstm_backward(argnums, residuals, *g, *args, reset, valid)
    return cotangents


def _evaluate(*args: Array, reset: _Mask, valid: _Mask) -> _Outputs:
    outputs: _Outputs = native.lstm_forward(False, *args, reset, valid)
    return outputs


PAIR = None if native is None else Pair(_forward, _backward, _evaluate)

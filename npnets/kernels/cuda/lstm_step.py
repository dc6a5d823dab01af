"""The elementwise part of one step of an LSTM on a GPU, with the symbols of `kernels/lstm_step.py`."""

from npnets.backend import Array
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel
from npnets.kernels.lstm_step import Step, parts

_FORWARD = ElementwiseKernel(
    "T z_i, T z_f, T z_g, T z_o, T c",
    "T gate_i, T gate_f, T gate_g, T gate_o, T new_c, T tanh_c, T new_h",
    """const T one = T(1), g = tanh(z_g * T(-0.5)), o = one / (one + exp(z_o));
    const T input = one / (one + exp(z_i)), f = one / (one + exp(z_f));
    gate_i = input; gate_f = f; gate_g = g; gate_o = o;
    new_c = f * c + input * g; tanh_c = tanh(new_c); new_h = o * tanh_c;""",
    "lstm_step",
)
_BACKWARD = ElementwiseKernel(
    "T gate_i, T gate_f, T gate_g, T gate_o, T c, T tanh_c, T dh, T dnew_c",
    "T dz_i, T dz_f, T dz_g, T dz_o, T dc",
    """const T both = dnew_c + dh * gate_o * (T(1) - tanh_c * tanh_c);
    dz_i = both * gate_g * gate_i * (T(1) - gate_i); dz_f = both * c * gate_f * (T(1) - gate_f);
    dz_g = both * gate_i * (T(1) - gate_g * gate_g); dz_o = dh * tanh_c * gate_o * (T(1) - gate_o);
    dc = both * gate_f;""",
    "lstm_step_backward",
)


def _forward(z: Array, c: Array, new_c: Array, tanh_c: Array, new_h: Array, with_gates: bool) -> None:
    of_gates = tuple(parts(z))  # each entry is read before it is written
    _FORWARD(*of_gates, c, *of_gates, new_c, tanh_c, new_h)


def _backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    _BACKWARD(*parts(gates), c, tanh_c, dh, dc, *parts(dz), dc)


STEP = Step(_forward, _backward)

"""The elementwise part of one step of an LSTM, forward and backward: in place on NumPy, one launch on a GPU.

Symbols as in `lstm`, but arrays lie features first, `(hidden, batch)`, and `(4 hidden, batch)` for `z` and the gates:
so the part of each gate is one block of memory. `z` comes as `[-z_i, -z_f, -2 z_g, -z_o]`.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from npnets.backend import Array, namespace
from npnets.launch import Launch


def quiet(x: Array) -> AbstractContextManager[Any]:
    """Return a context for steps: a gate whose `exp` is infinite or vanishes is at its bound."""
    return np.errstate(over="ignore", under="ignore") if namespace(x) is np else nullcontext()


def forward(z: Array, c: Array, new_c: Array, tanh_c: Array, new_h: Array, want_gates: bool) -> None:
    """Write `c'`, `tanh(c')` and `h'`, and turn `z` into the gates if they are wanted; else it is overwritten.

    `c'` may go over `c`, and `h'` over `tanh(c')`.

    Parameters
    ----------
    z : (4 hidden, batch) array
    c, new_c, tanh_c, new_h : (hidden, batch) arrays
    """
    if namespace(z) is not np:
        parts = tuple(_parts(z))  # each entry is read before it is written
        _FORWARD(*parts, c, *parts, new_c, tanh_c, new_h)
        return
    np.exp(z, out=z)
    z += 1
    over_i, over_f, g, over_o = _parts(z)  # to divide by 1 / i takes no longer than to multiply by i
    np.divide(2, g, out=g)  # tanh(z) = 2 sigmoid(2 z) - 1
    g -= 1
    np.divide(c, over_f, out=new_c)
    np.divide(g, over_i, out=tanh_c)
    new_c += tanh_c
    np.tanh(new_c, out=tanh_c)
    np.divide(tanh_c, over_o, out=new_h)
    if want_gates:
        i_and_f, o = z[: 2 * len(c)], over_o
        np.reciprocal(i_and_f, out=i_and_f)
        np.reciprocal(o, out=o)


def backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    """Write the cotangent of `[z_i, z_f, z_g, z_o]`, and turn `dc` from the cotangent of `c'` into that of `c`.

    Parameters
    ----------
    gates, dz : (4 hidden, batch) arrays
    c, tanh_c, dh, dc : (hidden, batch) arrays
    """
    if namespace(gates) is not np:
        _BACKWARD(*_parts(gates), c, tanh_c, dh, dc, *_parts(dz), dc)
        return
    i, f, g, o = _parts(gates)
    slopes = np.subtract(1, gates)  # s = sigmoid(z): s' = (1 - s) s
    slopes *= gates
    slope_of_g = _parts(slopes)[2]
    np.multiply(g, g, out=slope_of_g)  # g = tanh(z): g' = 1 - g g
    np.subtract(1, slope_of_g, out=slope_of_g)
    di, df, dg, do = _parts(dz)
    np.multiply(tanh_c, tanh_c, out=di)  # h' = o tanh(c')
    np.subtract(1, di, out=di)
    di *= o
    di *= dh
    dc += di
    np.multiply(dh, tanh_c, out=do)
    np.multiply(dc, g, out=di)  # c' = f c + i g
    np.multiply(dc, c, out=df)
    np.multiply(dc, i, out=dg)
    dc *= f
    dz *= slopes


_FORWARD = Launch(
    "T z_i, T z_f, T z_g, T z_o, T c",
    "T gate_i, T gate_f, T gate_g, T gate_o, T new_c, T tanh_c, T new_h",
    """const T one = T(1), g = tanh(z_g * T(-0.5)), o = one / (one + exp(z_o));
    const T input = one / (one + exp(z_i)), f = one / (one + exp(z_f));
    gate_i = input; gate_f = f; gate_g = g; gate_o = o;
    new_c = f * c + input * g; tanh_c = tanh(new_c); new_h = o * tanh_c;""",
    "lstm_step",
)
_BACKWARD = Launch(
    "T gate_i, T gate_f, T gate_g, T gate_o, T c, T tanh_c, T dh, T dc",
    "T di, T df, T dg, T d_o, T through",
    """const T both = dc + dh * gate_o * (T(1) - tanh_c * tanh_c);
    di = both * gate_g * gate_i * (T(1) - gate_i); df = both * c * gate_f * (T(1) - gate_f);
    dg = both * gate_i * (T(1) - gate_g * gate_g); d_o = dh * tanh_c * gate_o * (T(1) - gate_o);
    through = both * gate_f;""",
    "lstm_step_backward",
)


def _parts(z: Array) -> Array:
    """Return `z`, the gates or a cotangent as `(4, hidden, batch)`: a view, with the parts of i, f, g and o."""
    return z.reshape(4, len(z) // 4, z.shape[1])

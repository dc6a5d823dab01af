"""The elementwise part of one step of an LSTM, forward and backward: in place on NumPy, one launch on a GPU.

Symbols as in `lstm`. `z` comes with `z_i`, `z_f` and `z_o` scaled by a half, as `lstm` folds it into the weights, and
`forward` replaces it by the gates `[i, f, g, o]`.
"""

from typing import Any

import numpy as np

from npnets.backend import Array, namespace
from npnets.launch import Launch

_HALVES = np.array([0.5, 0.5, 1.0, 0.5])


def scale_like(w_h: Array) -> Array:
    """Return what `z` is scaled by, `(4 hidden,)`, in the dtype and on the device of `W_h`."""
    return _on_device_of(w_h, np.repeat(_HALVES, w_h.shape[0]))


def unscaled(w_h: Array) -> Array:
    """Return `W_h` from what `lstm` made of it."""
    return w_h / scale_like(w_h)


def forward(z: Array, recurrent: Array, c: Array, new_c: Array, tanh_c: Array, new_h: Array) -> None:
    """Turn `z + recurrent` into gates over `z`, and write `c'`, `tanh(c')` and `h'`.

    Parameters
    ----------
    z, recurrent : (batch, 4 hidden) arrays
    c, new_c, tanh_c, new_h : (batch, hidden) arrays
    """
    if namespace(z) is not np:
        _FORWARD(*_gates(z), *_gates(recurrent), c, *_gates(z), new_c, tanh_c, new_h)
        return
    z += recurrent
    np.tanh(z, out=z)
    sigmoids = _HALVES.repeat(c.shape[-1]).astype(z.dtype)
    z *= sigmoids
    z += 1 - sigmoids
    i, f, g, o = _gates(z)
    np.multiply(f, c, out=new_c)
    np.multiply(i, g, out=tanh_c)
    new_c += tanh_c
    np.tanh(new_c, out=tanh_c)
    np.multiply(o, tanh_c, out=new_h)


def backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    """Write the cotangent of the unscaled `z`, and turn `dc` from the cotangent of `c'` into that of `c`.

    Parameters
    ----------
    gates, dz : (batch, 4 hidden) arrays
    c, tanh_c, dh, dc : (batch, hidden) arrays
    """
    if namespace(gates) is not np:
        _BACKWARD(*_gates(gates), c, tanh_c, dh, dc, *_gates(dz), dc)
        return
    i, f, g, o = _gates(gates)
    di, df, dg, do = _gates(dz)
    np.multiply(dh, tanh_c, out=do)  # h' = o tanh(c')
    through_tanh = tanh_c * tanh_c
    np.subtract(1, through_tanh, out=through_tanh)
    through_tanh *= o
    through_tanh *= dh
    dc += through_tanh
    np.multiply(dc, g, out=di)  # c' = f c + i g
    np.multiply(dc, c, out=df)
    np.multiply(dc, i, out=dg)
    dc *= f
    slope = gates * gates  # sigmoid' = s - s^2, tanh' = 1 - g^2
    np.subtract(gates, slope, out=slope)
    slope_of_g = slope[:, 2 * c.shape[-1] : 3 * c.shape[-1]]
    np.multiply(g, g, out=slope_of_g)
    np.subtract(1, slope_of_g, out=slope_of_g)
    dz *= slope


_FORWARD = Launch(
    "T z_i, T z_f, T z_g, T z_o, T h_i, T h_f, T h_g, T h_o, T c",
    "T gate_i, T gate_f, T gate_g, T gate_o, T new_c, T tanh_c, T new_h",
    """const T half = T(0.5), g = tanh(z_g + h_g), o = half * tanh(z_o + h_o) + half;
    const T input = half * tanh(z_i + h_i) + half, f = half * tanh(z_f + h_f) + half;
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


def _gates(z: Array) -> tuple[Array, Array, Array, Array]:
    """Return the parts of `z`, or of its cotangent, that belong to i, f, g and o."""
    width = z.shape[-1] // 4
    return z[:, :width], z[:, width : 2 * width], z[:, 2 * width : 3 * width], z[:, 3 * width :]


def _on_device_of(like: Array, values: Any) -> Array:
    return namespace(like).asarray(values, like.dtype)  # type: ignore[no-any-return]

"""The elementwise part of one step of an LSTM, forward and backward: in place on NumPy, one launch on a GPU.

Symbols as in `lstm`. `z` comes with `z_i`, `z_f` and `z_o` scaled by a half; the gates are `[i, f, g, o]` side by side.
"""

import numpy as np

from npnets.backend import Array, namespace
from npnets.launch import Launch


def scale_like(w_h: Array) -> Array:
    """Return what `z` is scaled by, `(4 hidden,)`, in the dtype and on the device of `W_h`."""
    scale = namespace(w_h).full(w_h.shape[1], 0.5, w_h.dtype)
    scale[2 * w_h.shape[0] : 3 * w_h.shape[0]] = 1
    return scale  # type: ignore[no-any-return]


def forward(z: Array, c: Array, gates: Array, new_c: Array, tanh_c: Array, new_h: Array) -> None:
    """Write the gates, which may lie over `z`, and `c'`, `tanh(c')` and `h'`.

    Parameters
    ----------
    z, gates : (batch, 4 hidden) arrays
    c, new_c, tanh_c, new_h : (batch, hidden) arrays
    """
    if namespace(z) is not np:
        _FORWARD(*_parts(z), c, *_parts(gates), new_c, tanh_c, new_h)
        return
    width = c.shape[1]
    np.tanh(z, out=gates)
    for sigmoids in (gates[:, : 2 * width], gates[:, 3 * width :]):
        sigmoids *= 0.5
        sigmoids += 0.5
    i, f, g, o = _parts(gates)
    np.multiply(f, c, out=new_c)
    np.multiply(i, g, out=tanh_c)
    new_c += tanh_c
    np.tanh(new_c, out=tanh_c)
    np.multiply(o, tanh_c, out=new_h)


def backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    """Write the cotangent of `z` before it was scaled, and turn `dc` from the cotangent of `c'` into that of `c`.

    Parameters
    ----------
    gates, dz : (batch, 4 hidden) arrays
    c, tanh_c, dh, dc : (batch, hidden) arrays
    """
    if namespace(gates) is not np:
        _BACKWARD(*_parts(gates), c, tanh_c, dh, dc, *_parts(dz), dc)
        return
    width = c.shape[1]
    i, f, g, o = _parts(gates)
    di, df, dg, do = _parts(dz)
    slope = tanh_c * tanh_c
    np.subtract(1, slope, out=slope)
    np.multiply(dh, o, out=dg)
    slope *= dg
    dc += slope  # h' = o tanh(c')
    np.multiply(dh, tanh_c, out=do)
    np.multiply(dc, g, out=di)  # c' = f c + i g
    np.multiply(dc, c, out=df)
    np.multiply(dc, i, out=dg)
    dc *= f
    for sigmoids, part in ((gates[:, : 2 * width], dz[:, : 2 * width]), (o, do)):
        part *= sigmoids  # s = sigmoid(z): s' = s (1 - s)
        part *= 1 - sigmoids
    np.multiply(g, g, out=slope)  # g = tanh(z): g' = 1 - g g
    np.subtract(1, slope, out=slope)
    dg *= slope


_FORWARD = Launch(
    "T z_i, T z_f, T z_g, T z_o, T c",
    "T gate_i, T gate_f, T gate_g, T gate_o, T new_c, T tanh_c, T new_h",
    """const T half = T(0.5), g = tanh(z_g), o = half * tanh(z_o) + half;
    const T input = half * tanh(z_i) + half, f = half * tanh(z_f) + half;
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


def _parts(z: Array) -> tuple[Array, Array, Array, Array]:
    """Return the parts of `z` or of the gates that belong to i, f, g and o."""
    width = z.shape[-1] // 4
    return z[:, :width], z[:, width : 2 * width], z[:, 2 * width : 3 * width], z[:, 3 * width :]

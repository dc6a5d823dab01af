"""The elementwise part of one step of an LSTM, forward and backward: in place on NumPy, one launch on a GPU.

Symbols as in `lstm`, but arrays lie features first, `(hidden, batch)`, and `(4 hidden, batch)` for `z` and the gates:
so the part of each gate is one block of memory. `z` comes as `[-z_i, -z_f, -2 z_g, -z_o]`.
"""

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from npnets.backend import Array, device_of, namespace, place
from npnets.launch import Launch


def factor_like(w_h: Array) -> Array:
    """Return what `z` is multiplied by, `(4 hidden,)`, in the dtype and on the device of `W_h`; not to be changed."""
    return _factor(len(w_h), w_h.dtype.char, device_of(w_h))


@functools.lru_cache(maxsize=64)
def _factor(hidden: int, dtype: str, device: str) -> Array:
    factor = np.full(4 * hidden, -1, dtype)
    factor[2 * hidden : 3 * hidden] = -2
    factor.setflags(write=False)
    return place(factor, device)


def quiet(x: Array) -> AbstractContextManager[Any]:
    """Return a context for steps: where `exp(-z)` is infinite a gate is zero, and where it vanishes, one."""
    return np.errstate(over="ignore", under="ignore") if namespace(x) is np else nullcontext()


def forward(z: Array, c: Array, new_c: Array, tanh_c: Array, new_h: Array) -> None:
    """Turn `z` into the gates, and write `c'`, `tanh(c')` and `h'`; `c'` may go over `c`, and `h'` over `tanh(c')`.

    Parameters
    ----------
    z : (4 hidden, batch) array
    c, new_c, tanh_c, new_h : (hidden, batch) arrays
    """
    if namespace(z) is not np:
        _FORWARD(*_parts(z), c, *_parts(z), new_c, tanh_c, new_h)
        return
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)
    i, f, g, o = _parts(z)
    g *= 2  # tanh(z) = 2 sigmoid(2 z) - 1
    g -= 1
    np.multiply(f, c, out=new_c)
    np.multiply(i, g, out=tanh_c)
    new_c += tanh_c
    np.tanh(new_c, out=tanh_c)
    np.multiply(o, tanh_c, out=new_h)


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
    slope = _parts(slopes)[2]
    np.multiply(g, g, out=slope)  # g = tanh(z): g' = 1 - g g
    np.subtract(1, slope, out=slope)
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

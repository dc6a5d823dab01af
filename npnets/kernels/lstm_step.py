"""The elementwise part of one step of an LSTM, forward and backward: in place on NumPy, one launch on a GPU.

Symbols as in `lstm`. `z` comes with the signs of `z_i`, `z_f` and `z_o` turned, side by side as a product makes them;
the gates lie one after the other, each in a block of memory of its own, which is faster to go through.
"""

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from npnets.backend import Array, device_of, namespace, place
from npnets.launch import Launch

FEW = 4096
"""Up to how many numbers it is quicker to compute a sigmoid of `z_g` too, for nothing, than to step over it."""

_ALL, _SIGMOIDS = (slice(0, 4),), (slice(0, 2), slice(3, 4))


def sign_like(w_h: Array) -> Array:
    """Return what `z` is multiplied by, `(4 hidden,)`, in the dtype and on the device of `W_h`; not to be changed."""
    return _sign(len(w_h), w_h.dtype.char, device_of(w_h))


@functools.lru_cache(maxsize=64)
def _sign(hidden: int, dtype: str, device: str) -> Array:
    sign = np.full(4 * hidden, -1, dtype)
    sign[2 * hidden : 3 * hidden] = 1
    sign.setflags(write=False)
    return place(sign, device)


def quiet(x: Array) -> AbstractContextManager[Any]:
    """Return a context for steps: where `exp(-z)` is infinite a gate is zero, and where it vanishes, one."""
    return np.errstate(over="ignore", under="ignore") if namespace(x) is np else nullcontext()


def forward(z: Array, c: Array, gates: Array, new_c: Array, tanh_c: Array, new_h: Array) -> None:
    """Write the gates, `c'`, `tanh(c')` and `h'`; `c'` may go over `c`, and `h'` over `tanh(c')`.

    Parameters
    ----------
    z : (batch, 4 hidden) array
    gates : (4, batch, hidden) array
    c, new_c, tanh_c, new_h : (batch, hidden) arrays
    """
    if namespace(z) is not np:
        _FORWARD(*_parts(z), c, *gates, new_c, tanh_c, new_h)
        return
    parts = _parts(z)
    for those in _ALL if z.size < FEW else _SIGMOIDS:
        sigmoids = gates[those]
        np.exp(parts[those], out=sigmoids)
        sigmoids += 1
        np.reciprocal(sigmoids, out=sigmoids)
    np.tanh(parts[2], out=gates[2])
    i, f, g, o = gates
    np.multiply(f, c, out=new_c)
    np.multiply(i, g, out=tanh_c)
    new_c += tanh_c
    np.tanh(new_c, out=tanh_c)
    np.multiply(o, tanh_c, out=new_h)


def backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    """Write the cotangent of `z` with its own signs, and turn `dc` from the cotangent of `c'` into that of `c`.

    Parameters
    ----------
    gates : (4, batch, hidden) array
    c, tanh_c, dh, dc : (batch, hidden) arrays
    dz : (batch, 4 hidden) array
    """
    if namespace(gates) is not np:
        _BACKWARD(*gates, c, tanh_c, dh, dc, *_parts(dz), dc)
        return
    i, f, g, o = gates
    slopes, dgates = np.empty_like(gates), np.empty_like(gates)
    through_tanh = slopes[0]
    np.multiply(tanh_c, tanh_c, out=through_tanh)  # h' = o tanh(c')
    np.subtract(1, through_tanh, out=through_tanh)
    through_tanh *= o
    through_tanh *= dh
    dc += through_tanh
    np.multiply(dh, tanh_c, out=dgates[3])
    np.multiply(dc, g, out=dgates[0])  # c' = f c + i g
    np.multiply(dc, c, out=dgates[1])
    np.multiply(dc, i, out=dgates[2])
    dc *= f
    np.subtract(1, gates, out=slopes)  # s = sigmoid(z): s' = (1 - s) s
    slopes *= gates
    np.multiply(g, g, out=slopes[2])  # g = tanh(z): g' = 1 - g g
    np.subtract(1, slopes[2], out=slopes[2])
    np.multiply(dgates, slopes, out=_parts(dz))


_FORWARD = Launch(
    "T z_i, T z_f, T z_g, T z_o, T c",
    "T gate_i, T gate_f, T gate_g, T gate_o, T new_c, T tanh_c, T new_h",
    """const T one = T(1), g = tanh(z_g), o = one / (one + exp(z_o));
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
    """Return `z`, or its cotangent, as `(4, batch, hidden)`: a view with the parts for i, f, g and o in order."""
    batch, width = z.shape
    return z.reshape(batch, 4, width // 4).swapaxes(0, 1)

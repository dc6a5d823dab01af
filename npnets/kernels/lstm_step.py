"""The elementwise part of one step of an LSTM, forward and backward, in place.

    i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
    c' = f c + i g,  h' = o tanh(c')

Symbols as in `lstm`, but arrays lie features first: states `(hidden, batch)`, `z` and the gates `(4 hidden, batch)`, so
that each gate is one block of memory. `z` comes as `[-z_i, -z_f, -2 z_g, -z_o]`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npnets.backend import Array


class Step(NamedTuple):
    """Both directions of a step on one kind of processor.

    `forward(z, c, new_c, tanh_c, new_h, with_gates)` writes `c'`, `tanh(c')` and `h'`, and turns `z` into the gates if
    they are needed; `z` is overwritten in either case. `c'` may go over `c`, and `h'` over `tanh(c')`.

    `backward(gates, c, tanh_c, dh, dc, dz)` writes the cotangent of `[z_i, z_f, z_g, z_o]`, and turns `dc` from the
    cotangent of `c'` into that of `c`.
    """

    forward: Callable[[Array, Array, Array, Array, Array, bool], None]
    backward: Callable[[Array, Array, Array, Array, Array, Array], None]


def parts(z: Array) -> Array:
    """Return `z`, the gates or a cotangent as `(4, hidden, batch)`: a view, with the parts of i, f, g and o."""
    return z.reshape(4, len(z) // 4, z.shape[1])


def _forward(z: Array, c: Array, new_c: Array, tanh_c: Array, new_h: Array, with_gates: bool) -> None:
    np.exp(z, out=z)
    z += 1
    over_i, over_f, g, over_o = parts(z)  # 1 / i, 1 / f and 1 / o: dividing by them saves a pass that inverts them
    np.divide(2, g, out=g)  # g = tanh(z_g) = 2 sigmoid(2 z_g) - 1
    g -= 1
    np.divide(c, over_f, out=new_c)  # c' = f c + i g
    i_g = np.divide(g, over_i, out=tanh_c)
    new_c += i_g
    np.tanh(new_c, out=tanh_c)
    np.divide(tanh_c, over_o, out=new_h)  # h' = o tanh(c')
    if with_gates:
        i_and_f, o = z[: 2 * len(c)], over_o
        np.reciprocal(i_and_f, out=i_and_f)
        np.reciprocal(o, out=o)


def _backward(gates: Array, c: Array, tanh_c: Array, dh: Array, dc: Array, dz: Array) -> None:
    i, f, g, o = parts(gates)
    di, df, dg, do = parts(dz)
    np.multiply(dh, tanh_c, out=do)  # h' = o tanh(c')
    through_h = _slope_of_tanh(tanh_c, out=di)  # where `di` is written below
    through_h *= o
    through_h *= dh
    dc += through_h
    np.multiply(dc, g, out=di)  # c' = f c + i g
    np.multiply(dc, c, out=df)
    np.multiply(dc, i, out=dg)
    dc *= f
    dz *= _slopes(gates)  # i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_g), sigmoid(z_o)


def _slopes(gates: Array) -> Array:
    """Return the derivative of each gate by its `z`."""
    slopes = np.subtract(1, gates)  # s = sigmoid(z): s' = s (1 - s)
    slopes *= gates
    _slope_of_tanh(parts(gates)[2], out=parts(slopes)[2])
    return slopes


def _slope_of_tanh(t: Array, out: Array) -> Array:
    """Return the derivative of `t = tanh(z)` by `z`, `1 - t^2`."""
    slope = np.multiply(t, t, out=out)
    return np.subtract(1, slope, out=slope)


STEP = Step(_forward, _backward)

"""One layer of an LSTM over a sequence (Hochreiter and Schmidhuber 1997; gates and biases as in PyTorch's `LSTM`).

    z = x_t W_x + b_x + h W_h + b_h,  z = [z_i, z_f, z_g, z_o]
    i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
    c' = f c + i g,  h' = o tanh(c')

Symbols: `x` `(steps, batch, in)`; `h`, `c` the hidden and cell state `(batch, hidden)` that enter a step, `h'`, `c'`
those that leave it; `W_x` `(in, 4 hidden)`, `W_h` `(hidden, 4 hidden)`, `b_x` and `b_h` `(4 hidden,)`; `dh` the
cotangent of `h`, and so on. Two masks `(steps, batch, 1)`, either of them `None`: where a step is `fresh` the states
that enter it are zero; where it is not `live` it lies beyond its sequence's end, `x` is not read, and the states pass
through.

The fast pair scales `z_i`, `z_f` and `z_o` by a half, in the weights, so that one `tanh` over all of `z` serves every
gate: `sigmoid(z) = (tanh(z / 2) + 1) / 2`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as onp

import npnets.numpy as np
from npnets.autodiff import fused
from npnets.backend import Array, namespace
from npnets.kernels import lstm_step
from npnets.kernels.activations import sigmoid

Mask = Array | None
State = tuple[Array, Array]


def _composition(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, fresh: Mask, live: Mask
) -> tuple[Array, Array, Array]:
    outputs = []
    for t in range(x.shape[0]):
        if fresh is not None:
            h, c = np.where(fresh[t], 0, h), np.where(fresh[t], 0, c)
        x_t = x[t] if live is None else np.where(live[t], x[t], 0)
        new_h, new_c = _cell(np.matmul(x_t, w_x) + b_x + np.matmul(h, w_h) + b_h, c)
        if live is not None:
            new_h, new_c = np.where(live[t], new_h, h), np.where(live[t], new_c, c)
        h, c = new_h, new_c
        outputs.append(h)
    return np.stack(outputs), h, c


def _cell(z: Array, c: Array) -> State:
    width = c.shape[-1]
    i, f, o = (sigmoid(z[:, gate * width : (gate + 1) * width]) for gate in (0, 1, 3))
    c = f * c + i * np.tanh(z[:, 2 * width : 3 * width])
    return o * np.tanh(c), c


class Saved(NamedTuple):
    """What the backward needs: `gates` `(steps, batch, 4 hidden)`, the others `(steps, batch, ...)`."""

    x: Array
    gates: Array
    h: Array
    c: Array
    tanh_c: Array
    w_h: Array


def _forward(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, fresh: Mask, live: Mask
) -> tuple[tuple[Array, Array, Array], Saved]:
    xp, steps = namespace(x), x.shape[0]
    x = x if live is None else xp.where(live, x, x.dtype.type(0))
    w_x, w_h, bias = _scaled(w_x, w_h, b_x, b_h)
    gates = _product(x, w_x)
    gates += bias
    hs, cs = (_sequence(state, steps) for state in (h, c))
    tanh_c, recurrent = xp.empty(hs[1:].shape, x.dtype), xp.empty(gates.shape[1:], x.dtype)
    entering_h, entering_c = (hs[:-1], cs[:-1]) if fresh is None else (xp.empty_like(tanh_c), xp.empty_like(tanh_c))
    for t in range(steps):
        if fresh is not None:
            entering_h[t], entering_c[t] = _cleared(fresh[t], hs[t], cs[t])
        xp.matmul(entering_h[t], w_h, out=recurrent)
        lstm_step.forward(gates[t], recurrent, entering_c[t], cs[t + 1], tanh_c[t], hs[t + 1])
        if live is not None:
            hs[t + 1], cs[t + 1] = (
                xp.where(live[t], hs[t + 1], entering_h[t]),
                xp.where(live[t], cs[t + 1], entering_c[t]),
            )
    return (hs[1:], hs[-1].copy(), cs[-1].copy()), Saved(x, gates, entering_h, entering_c, tanh_c, w_h)


def _evaluate(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, fresh: Mask, live: Mask
) -> tuple[Array, Array, Array]:
    """Do as `_forward`, and keep nothing for a backward but the outputs."""
    xp, steps = namespace(x), x.shape[0]
    x = x if live is None else xp.where(live, x, x.dtype.type(0))
    w_x, w_h, bias = _scaled(w_x, w_h, b_x, b_h)
    outputs = xp.empty((steps, *h.shape), x.dtype)
    z, recurrent = (xp.empty((x.shape[1], w_h.shape[1]), x.dtype) for _ in range(2))
    new_c, tanh_c = xp.empty_like(c), xp.empty_like(c)
    for t in range(steps):
        if fresh is not None:
            h, c = _cleared(fresh[t], h, c)
        xp.matmul(x[t], w_x, out=z)
        xp.matmul(h, w_h, out=recurrent)
        recurrent += bias
        lstm_step.forward(z, recurrent, c, new_c, tanh_c, outputs[t])
        if live is not None:
            outputs[t], new_c = xp.where(live[t], outputs[t], h), xp.where(live[t], new_c, c)
        h, c, new_c = outputs[t], new_c, c if t else xp.empty_like(c)
    return outputs, h.copy(), c


def _backward(
    g: list[Array | None],
    saved: Saved,
    wanted: tuple[int, ...],
    x: Array,
    w_x: Array,
    *args: Array,
    fresh: Mask,
    live: Mask,
) -> tuple[Array, ...]:
    dz, dh, dc = _through_time(g, saved, fresh, live)
    of_argument: dict[int, Callable[[], Array]] = {
        0: lambda: _product(dz, w_x.T),
        1: lambda: _weight_cotangent(saved.x, dz),
        2: lambda: _weight_cotangent(saved.h, dz),
        3: lambda: dz.reshape(-1, dz.shape[-1]).sum(axis=0),
        5: lambda: dh,
        6: lambda: dc,
    }
    of_argument[4] = of_argument[3]
    return tuple(of_argument[index]() for index in wanted)


def _through_time(g: list[Array | None], saved: Saved, fresh: Mask, live: Mask) -> tuple[Array, Array, Array]:
    """Return `dz` `(steps, batch, 4 hidden)`, and the cotangents of the states that entered the sequence."""
    _, gates, _, c, tanh_c, w_h = saved
    xp, steps = namespace(gates), gates.shape[0]
    dz, back = xp.empty_like(gates), lstm_step.unscaled(w_h).T
    dh, dc = (xp.zeros_like(c[0]) if part is None else part.copy() for part in g[1:])
    for t in reversed(range(steps)):
        if g[0] is not None:
            dh += g[0][t]
        passed = None if live is None else _cleared(live[t], dh, dc)
        if live is not None:
            dh, dc = _cleared(~live[t], dh, dc)
        lstm_step.backward(gates[t], c[t], tanh_c[t], dh, dc, dz[t])
        xp.matmul(dz[t], back, out=dh)
        if fresh is not None:
            dh, dc = _cleared(fresh[t], dh, dc)
        if passed is not None:
            dh, dc = dh + passed[0], dc + passed[1]
    return dz, dh, dc


def _scaled(w_x: Array, w_h: Array, b_x: Array, b_h: Array) -> tuple[Array, Array, Array]:
    scale = lstm_step.scale_like(w_h)
    return w_x * scale, w_h * scale, (b_x + b_h) * scale


def _sequence(state: Array, steps: int) -> Array:
    """Return room for the states before and after every step, with the first one filled in."""
    states = namespace(state).empty((steps + 1, *state.shape), state.dtype)
    states[0] = state
    return states


def _cleared(mask: Array, h: Array, c: Array) -> State:
    xp, zero = namespace(h), h.dtype.type(0)
    return xp.where(mask, zero, h), xp.where(mask, zero, c)


def _product(x: Array, weight: Array) -> Array:
    """Return `x @ weight` for all steps at once."""
    flat = onp.matmul(x.reshape(-1, x.shape[-1]), weight)
    return flat.reshape(*x.shape[:-1], weight.shape[-1])


def _weight_cotangent(x: Array, dz: Array) -> Array:
    """Return the sum of `x_t^T dz_t` over all steps, in one product."""
    columns, rows = x.reshape(-1, x.shape[-1]), dz.reshape(-1, dz.shape[-1])
    return columns.T * rows if len(rows) == 1 else onp.matmul(columns.T, rows)


_apply = fused(_composition, _forward, _backward, _evaluate)


def lstm(
    x: Array,
    weights: tuple[Array, Array, Array, Array],
    h: Array,
    c: Array,
    fresh: Mask = None,
    live: Mask = None,
) -> tuple[Array, Array, Array]:
    """Run one layer over a sequence.

    Parameters
    ----------
    x : (steps, batch, in) array
    weights : tuple of four arrays
        `W_x` `(in, 4 hidden)`, `W_h` `(hidden, 4 hidden)`, `b_x` and `b_h` `(4 hidden,)`; gates in the order i, f, g,
        o.
    h, c : (batch, hidden) arrays
        Hidden and cell state before the first step.
    fresh : (steps, batch, 1) array of bool, optional
        Where the states that enter a step are replaced by zeros.
    live : (steps, batch, 1) array of bool, optional
        Where a step belongs to its sequence; elsewhere `x` is not read and the states pass through.

    Returns
    -------
    outputs : (steps, batch, hidden) array
        The hidden state after every step.
    h, c : (batch, hidden) arrays
        The states after the last step.
    """
    return _apply(x, *weights, h, c, fresh=fresh, live=live)

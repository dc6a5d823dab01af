"""One layer of an LSTM over a sequence (Hochreiter and Schmidhuber 1997; gates and biases as in PyTorch's `LSTM`).

    z = x_t W_x + b_x + h W_h + b_h,  z = [z_i, z_f, z_g, z_o]
    i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
    c' = f c + i g,  h' = o tanh(c')

Symbols: `x` `(steps, batch, in)`; `h`, `c` the hidden and cell state `(batch, hidden)` that enter a step, `h'`, `c'`
those that leave it; `W_x` `(in, 4 hidden)`, `W_h` `(hidden, 4 hidden)`, `b_x` and `b_h` `(4 hidden,)`; `dh` the
cotangent of `h`, and so on. Two masks `(steps, batch, 1)`, either of them `None`: where a step is `fresh` the states
that enter it are zero; where it is not `live` it lies beyond its sequence's end, `x` is not read, and the states pass
through.

The fast pair stacks the weights to `W = [W_x; b_x + b_h; W_h]`, so that a step is one product, `z = u W` with the rows
`u = [x_t, 1, h]`, and all weight gradients are one more, over all steps. It turns the signs of `z_i`, `z_f` and `z_o`,
in `W`, for `sigmoid(z) = 1 / (1 + exp(-z))`: `exp` takes half of the time of `tanh` where NumPy has no AVX-512 for it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as onp

import npnets.numpy as np
from npnets.autodiff import fused
from npnets.backend import Array, namespace
from npnets.kernels import lstm_step
from npnets.kernels.activations import sigmoid
from npnets.kernels.sharing import Rows, SharedOut
from npnets.kernels.workspace import product, room

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
    """What the backward needs: the rows `u`, `c`, `tanh(c')`, and the gates `(steps, 4, batch, hidden)`."""

    rows: Array
    gates: Array
    c: Array
    tanh_c: Array


def _forward(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, fresh: Mask, live: Mask
) -> tuple[tuple[Array, Array, Array], Saved]:
    steps, shape = x.shape[0], h.shape
    rows, hs = _rows(x, h, live)
    outputs = hs[1:] if fresh is None else room(x, (steps, *shape))  # a fresh step clears the h that it reads
    gates, tanh_c, cs = room(x, (steps, 4, *shape)), room(x, (steps, *shape)), room(x, (steps + 1, *shape))
    project, cs[0] = _of_rows(rows, x.shape[2], w_x, w_h, b_x, b_h), c
    with lstm_step.quiet(x):
        for t in range(steps):
            if fresh is not None:
                hs[t], cs[t] = _cleared(fresh[t], hs[t], cs[t])
            lstm_step.forward(project(t), cs[t], gates[t], cs[t + 1], tanh_c[t], outputs[t])
            if live is not None:
                outputs[t], cs[t + 1] = _chosen(live[t], (outputs[t], cs[t + 1]), (hs[t], cs[t]))
            if fresh is not None:
                hs[t + 1] = outputs[t]
    return (outputs, outputs[-1].copy(), cs[-1].copy()), Saved(rows[:-1], gates, cs[:-1], tanh_c)


def _evaluate(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, fresh: Mask, live: Mask
) -> tuple[Array, Array, Array]:
    """Do as the forward, with one step's memory: what this step reads and makes, the next one overwrites."""
    outputs, gates, c = room(x, (x.shape[0], *h.shape)), room(x, (4, *h.shape)), c.copy()
    project = _of_one_step(len(h), x.shape[0], w_x, w_h, b_x, b_h)
    with lstm_step.quiet(x):
        for t in range(x.shape[0]):
            if fresh is not None:
                h, c = _cleared(fresh[t], h, c)
            before = None if live is None else c.copy()
            z = project(x[t] if live is None else _read(x[t], live[t]), h)
            lstm_step.forward(z, c, gates, c, outputs[t], outputs[t])
            if before is not None:
                outputs[t], c[:] = _chosen(live[t], (outputs[t], c), (h, before))  # type: ignore[index]
            h = outputs[t]
    return outputs, h.copy(), c


def _of_rows(rows: Array, width: int, *weights: Array) -> Callable[[int], Array]:
    """Return a function from a step to the `z` of its rows, signs turned, which the next call overwrites."""
    steps, batch = len(rows) - 1, rows.shape[1]
    if steps * batch < len(weights[1]):
        apart = _apart(*weights)
        return lambda t: apart(rows[t, :, :width], rows[t, :, width + 1 :])
    weight, z = _stacked(*weights), room(rows, (batch, weights[1].shape[1]))
    return lambda t: onp.matmul(rows[t], weight, out=z)  # type: ignore[no-any-return]


def _of_one_step(batch: int, steps: int, *weights: Array) -> Callable[[Array, Array], Array]:
    """Return a function from `x_t` and `h` to `z`, signs turned, which the next call overwrites."""
    if steps * batch < len(weights[1]):
        return _apart(*weights)
    weight, width = _stacked(*weights), len(weights[0])
    u, z = room(weight, (batch, len(weight))), room(weight, (batch, weight.shape[1]))
    u[:, width] = 1

    def project(x: Array, h: Array) -> Array:
        u[:, :width] = x
        u[:, width + 1 :] = h
        return onp.matmul(u, weight, out=z)  # type: ignore[no-any-return]

    return project


def _stacked(w_x: Array, w_h: Array, b_x: Array, b_h: Array) -> Array:
    weight = namespace(w_x).concatenate([w_x, (b_x + b_h)[None], w_h])
    weight *= lstm_step.sign_like(w_h)
    return weight  # type: ignore[no-any-return]


def _apart(w_x: Array, w_h: Array, b_x: Array, b_h: Array) -> Callable[[Array, Array], Array]:
    """Do as with stacked weights: for few rows to stack them and turn their signs would cost more than the products."""
    bias, sign = b_x + b_h, lstm_step.sign_like(w_h)

    def project(x: Array, h: Array) -> Array:
        z = product(x, w_x)
        z += product(h, w_h)
        z += bias
        z *= sign
        return z

    return project


def _backward(
    g: list[Array | None],
    saved: Saved,
    wanted: tuple[int, ...],
    x: Array,
    w_x: Array,
    w_h: Array,
    *args: Array,
    fresh: Mask,
    live: Mask,
) -> tuple[Array, ...]:
    dz, dh, dc = _through_time(g, saved, w_h, fresh, live)
    dx = _of_all_steps(dz, w_x.T) if 0 in wanted else None
    any_weight = {1, 2, 3, 4}.intersection(wanted)
    weights = _weight_cotangents(saved.rows, dz, x.shape[2]) if any_weight else (None,) * 4
    cotangents = (dx, *weights, dh, dc)
    return tuple(cotangents[index] for index in wanted)  # type: ignore[misc]


def _through_time(
    g: list[Array | None], saved: Saved, w_h: Array, fresh: Mask, live: Mask
) -> tuple[Array, Array, Array]:
    """Return `dz` `(steps, batch, 4 hidden)`, and the cotangents of the states that entered the sequence."""
    _, gates, c, tanh_c = saved
    steps, _, batch, width = gates.shape
    xp, dz, back = namespace(gates), room(gates, (steps, batch, 4 * width)), w_h.T
    if steps * batch >= width:  # for fewer rows to copy it would cost more than it saves
        back = xp.ascontiguousarray(back)
    dh, dc = (xp.zeros_like(c[0]) if part is None else part.copy() for part in g[1:])
    for t in reversed(range(steps)):
        if g[0] is not None:
            dh += g[0][t]  # outputs[t] = h'
        if live is not None:
            passed = _cleared(live[t], dh, dc)  # where a step is not live: h' = h, c' = c
            dh, dc = _cleared(~live[t], dh, dc)
        lstm_step.backward(gates[t], c[t], tanh_c[t], dh, dc, dz[t])
        xp.matmul(dz[t], back, out=dh)  # z = u W
        if live is not None:
            dh, dc = dh + passed[0], dc + passed[1]
        if fresh is not None:
            dh, dc = _cleared(fresh[t], dh, dc)
    return dz, dh, dc


def _weight_cotangents(rows: Array, dz: Array, width: int) -> tuple[Array, Array, Array, Array]:
    """Return the cotangents of `W_x`, `W_h`, `b_x` and `b_h`, from one product over all steps."""
    u, dz = rows.reshape(-1, rows.shape[-1]), dz.reshape(-1, dz.shape[-1])
    if len(u) == 1:
        return product(u[:, :width].T, dz), product(u[:, width + 1 :].T, dz), dz[0], dz[0]
    stacked = onp.matmul(u.T, dz, out=room(u, (u.shape[1], dz.shape[1])))
    return stacked[:width], stacked[width + 1 :], stacked[width], stacked[width]


def _rows(x: Array, h: Array, live: Mask) -> tuple[Array, Array]:
    """Return the rows `u` of all steps and one more, with `x`, ones and the first `h` filled in; and their `h`."""
    steps, _, width, hidden = *x.shape, h.shape[1]
    rows = room(x, (steps + 1, len(h), width + 1 + hidden))
    rows[:steps, :, :width] = _read(x, live)
    rows[:, :, width] = 1
    hs = rows[:, :, width + 1 :]
    hs[0] = h
    return rows, hs


def _read(x: Array, live: Mask) -> Array:
    return x if live is None else namespace(x).where(live, x, x.dtype.type(0))


def _cleared(mask: Array, h: Array, c: Array) -> State:
    xp, zero = namespace(h), h.dtype.type(0)
    return xp.where(mask, zero, h), xp.where(mask, zero, c)


def _chosen(mask: Array, these: State, those: State) -> State:
    xp = namespace(mask)
    return xp.where(mask, these[0], those[0]), xp.where(mask, these[1], those[1])


def _of_all_steps(dz: Array, weight: Array) -> Array:
    flat = onp.matmul(dz.reshape(-1, dz.shape[-1]), weight)
    return flat.reshape(*dz.shape[:-1], weight.shape[-1])


def _work(x: Array, w_x: Array, w_h: Array, *args: Array) -> int:
    return len(x) * (w_x.size + w_h.size)


_shared = SharedOut(Rows({0: 1, 5: 0, 6: 0}, {"fresh": 1, "live": 1}, (1, 0, 0)), _work, _forward, _backward, _evaluate)
_apply = fused(_composition, _shared.forward, _shared.backward, _shared.evaluate)


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

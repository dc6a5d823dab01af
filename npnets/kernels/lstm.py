"""One layer of an LSTM over a sequence (Hochreiter and Schmidhuber 1997; gates and biases as in PyTorch's ``LSTM``).

    z = x_t W_x + b_x + h W_h + b_h,  z = [z_i, z_f, z_g, z_o]
    i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
    c' = f c + i g,  h' = o tanh(c')

Symbols: `x` `(steps, batch, in)`; `h`, `c` the hidden and cell state `(batch, hidden)` that enter a step, `h'`, `c'`
those that leave it; `W_x` `(in, 4 hidden)`, `W_h` `(hidden, 4 hidden)`, `b_x` and `b_h` `(4 hidden,)`; `dh` the
cotangent of `h`, and so on. Two masks `(steps, batch, 1)`, either of them `None`: where a step is `reset` the states
that enter it are zero; where it is not `valid` it lies beyond its sequence's end, `x` is not read, and the states pass
through.

The fast pair stacks the weights to `W = [W_x; b_x + b_h; W_h]`, so that a step of many columns is one product with `u
= [x_t, 1, h]`, and all weight gradients are one more, over all steps. Its arrays lie features first, `u` as `(in + 1 +
hidden, batch)` and the product as `(4 hidden, batch)`: each gate is a whole block of memory, and at batch 64 and
`hidden` 128 two threads of BLAS need a quarter less time than for the product that lies the other way. `W` is scaled
so that `[-z_i, -z_f, -2 z_g, -z_o]` comes out and NumPy finds all gates with one `exp`: `sigmoid(z) = 1 / (1 +
exp(-z))`, `tanh(z) = 2 sigmoid(2 z) - 1`. NumPy's `tanh` takes twice as long without AVX-512. The price is that a
small `g` is exact to some 1e-7 in float32 there, not relative to its own size.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels import lstm_product, lstm_step
from npnets.kernels.activation_formulas import sigmoid
from npnets.kernels.buffers import scratch
from npnets.kernels.cuda import lstm_step as cuda
from npnets.kernels.lstm_shards import sharded
from npnets.kernels.lstm_step import Step
from npnets.kernels.products import product

Mask = Array | None
State = tuple[Array, Array]


def _composition(
    x: Array, w_x: Array, w_h: Array, b_x: Array, b_h: Array, h: Array, c: Array, *, reset: Mask, valid: Mask
) -> tuple[Array, Array, Array]:
    outputs = []
    for t in range(x.shape[0]):
        if reset is not None:
            h, c = nnp.where(reset[t], 0, h), nnp.where(reset[t], 0, c)
        x_t = x[t] if valid is None else nnp.where(valid[t], x[t], 0)
        new_h, new_c = _cell(nnp.matmul(x_t, w_x) + b_x + nnp.matmul(h, w_h) + b_h, c)
        if valid is not None:
            new_h, new_c = nnp.where(valid[t], new_h, h), nnp.where(valid[t], new_c, c)
        h, c = new_h, new_c
        outputs.append(h)
    return nnp.stack(outputs), h, c


def _cell(z: Array, c: Array) -> State:
    width = c.shape[-1]
    i, f, o = (sigmoid(z[:, gate * width : (gate + 1) * width]) for gate in (0, 1, 3))
    c = f * c + i * nnp.tanh(z[:, 2 * width : 3 * width])
    return o * nnp.tanh(c), c


class Residuals(NamedTuple):
    """What the backward needs: `u`, the gates, `c` and `tanh(c')`, each `(steps, features, batch)`."""

    u: Array
    gates: Array
    c: Array
    tanh_c: Array


def _forward(
    step: Step,
    x: Array,
    w_x: Array,
    w_h: Array,
    b_x: Array,
    b_h: Array,
    h: Array,
    c: Array,
    *,
    reset: Mask,
    valid: Mask,
) -> tuple[tuple[Array, Array, Array], Residuals]:
    steps, batch, width = x.shape
    hidden = len(w_h)
    reset, valid = _features_first(reset), _features_first(valid)
    u, hs = _columns(x, h, valid)
    outputs = hs[1:] if reset is None else scratch(x, (steps, hidden, batch))  # a reset step clears the h that it reads
    gates, tanh_c = scratch(x, (steps, 4 * hidden, batch)), scratch(x, (steps, hidden, batch))
    cs = scratch(x, (steps + 1, hidden, batch))
    cs[0] = c.T
    project = lstm_product.into_gates(u, gates, width, w_x, w_h, b_x, b_h)
    with np.errstate(over="ignore", under="ignore"):  # a gate whose `exp` is infinite or vanishes is at its bound
        for t in range(steps):
            if reset is not None:
                hs[t], cs[t] = _cleared(reset[t], hs[t], cs[t])
            project(t)
            step.forward(gates[t], cs[t], cs[t + 1], tanh_c[t], outputs[t], True)
            if valid is not None:
                outputs[t], cs[t + 1] = _chosen(valid[t], (outputs[t], cs[t + 1]), (hs[t], cs[t]))
            if reset is not None:
                hs[t + 1] = outputs[t]
    return (outputs.swapaxes(1, 2), outputs[-1].T.copy(), cs[-1].T.copy()), Residuals(u[:-1], gates, cs[:-1], tanh_c)


def _evaluate(
    step: Step,
    x: Array,
    w_x: Array,
    w_h: Array,
    b_x: Array,
    b_h: Array,
    h: Array,
    c: Array,
    *,
    reset: Mask,
    valid: Mask,
) -> tuple[Array, Array, Array]:
    """Do as the forward, with one step's memory: what this step reads and makes, the next one overwrites."""
    outputs, h, c = scratch(x, (x.shape[0], *h.T.shape)), h.T, c.T.copy()
    project = lstm_product.from_step(x, w_x, w_h, b_x, b_h)
    reset, valid = _features_first(reset), _features_first(valid)
    with np.errstate(over="ignore", under="ignore"):  # a gate whose `exp` is infinite or vanishes is at its bound
        for t in range(x.shape[0]):
            if reset is not None:
                h, c = _cleared(reset[t], h, c)
            before = None if valid is None else c.copy()
            z = project(x[t].T if valid is None else _read(x[t].T, valid[t]), h)
            step.forward(z, c, c, outputs[t], outputs[t], False)
            if valid is not None and before is not None:
                outputs[t], c[:] = _chosen(valid[t], (outputs[t], c), (h, before))
            h = outputs[t]
    return outputs.swapaxes(1, 2), h.T.copy(), c.T.copy()


def _backward(
    step: Step,
    g: list[Array | None],
    residuals: Residuals,
    argnums: tuple[int, ...],
    x: Array,
    w_x: Array,
    w_h: Array,
    *args: Array,
    reset: Mask,
    valid: Mask,
) -> tuple[Array, ...]:
    dz, dh, dc = _through_time(step, g, residuals, w_h, _features_first(reset), _features_first(valid))
    dx = _of_all_steps(dz, w_x) if 0 in argnums else None
    any_weight = {1, 2, 3, 4}.intersection(argnums)
    weights = _weight_cotangents(residuals.u, dz, x.shape[2]) if any_weight else (None,) * 4
    states = [part.T.copy() if index in argnums else None for index, part in ((5, dh), (6, dc))]
    cotangents = (dx, *weights, *states)
    return tuple(cotangents[argnum] for argnum in argnums)


def _through_time(
    step: Step, g: list[Array | None], residuals: Residuals, w_h: Array, reset: Mask, valid: Mask
) -> tuple[Array, Array, Array]:
    """Return `dz` `(4 hidden, steps, batch)`, and the cotangents of the states that entered the sequence."""
    _, gates, c, tanh_c = residuals
    steps, outs, batch = gates.shape
    xp, dz, of_step = namespace(gates), scratch(gates, (outs, steps, batch)), scratch(gates, (outs, batch))
    dh, dc = (xp.zeros_like(c[0]) if part is None else part.T.copy() for part in g[1:])
    for t in reversed(range(steps)):
        if g[0] is not None:
            dh += g[0][t].T  # outputs[t] = h'
        if valid is not None:
            passed = _cleared(valid[t], dh, dc)  # where a step is not valid: h' = h, c' = c
            dh, dc = _cleared(~valid[t], dh, dc)
        step.backward(gates[t], c[t], tanh_c[t], dh, dc, of_step)
        dz[:, t] = of_step
        xp.matmul(w_h, of_step, out=dh)  # z = W.T u
        if valid is not None:
            dh, dc = dh + passed[0], dc + passed[1]
        if reset is not None:
            dh, dc = _cleared(reset[t], dh, dc)
    return dz, dh, dc


def _weight_cotangents(u: Array, dz: Array, width: int) -> tuple[Array, Array, Array, Array]:
    """Return the cotangents of `W_x`, `W_h`, `b_x` and `b_h`, from one product over all steps."""
    stacked = product(_all_columns(u), dz.reshape(len(dz), -1).T)
    return stacked[:width], stacked[width + 1 :], stacked[width], stacked[width]


def _all_columns(u: Array) -> Array:
    """Return the columns of all steps, `(steps, features, batch)`, as `(features, steps * batch)`."""
    steps, features, batch = u.shape
    if steps == 1:
        return u[0]
    columns = scratch(u, (features, steps, batch))
    columns[:] = u.swapaxes(0, 1)
    return columns.reshape(features, -1)


def _columns(x: Array, h: Array, valid: Mask) -> tuple[Array, Array]:
    """Return the `u` of all steps and one more, with `x`, ones and the first `h` filled in; and their `h`."""
    steps, batch, width = x.shape
    u = scratch(x, (steps + 1, width + 1 + h.shape[1], batch))
    u[:steps, :width] = _read(x.swapaxes(1, 2), valid)
    u[:, width] = 1
    hs = u[:, width + 1 :]
    hs[0] = h.T
    return u, hs


def _read(x: Array, valid: Mask) -> Array:
    return x if valid is None else namespace(x).where(valid, x, x.dtype.type(0))


def _features_first(mask: Mask) -> Mask:
    return None if mask is None else mask.swapaxes(1, 2)


def _cleared(mask: Array, h: Array, c: Array) -> State:
    xp, zero = namespace(h), h.dtype.type(0)
    return xp.where(mask, zero, h), xp.where(mask, zero, c)


def _chosen(mask: Array, these: State, those: State) -> State:
    xp = namespace(mask)
    return xp.where(mask, these[0], those[0]), xp.where(mask, these[1], those[1])


def _of_all_steps(dz: Array, weight: Array) -> Array:
    """Return `dx` `(steps, batch, in)`."""
    flat = product(weight, dz.reshape(len(dz), -1))
    return flat.reshape(len(weight), *dz.shape[1:]).transpose(1, 2, 0)


def _pair(step: Step) -> Pair:
    return Pair(partial(_forward, step), partial(_backward, step), partial(_evaluate, step))


_apply = fused(_composition, cpu=sharded(_pair(lstm_step.STEP)), gpu=_pair(cuda.STEP))


def lstm(
    x: Array,
    weights: tuple[Array, Array, Array, Array],
    h: Array,
    c: Array,
    reset: Mask = None,
    valid: Mask = None,
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
    reset : (steps, batch, 1) array of bool, optional
        Where the states that enter a step are replaced by zeros.
    valid : (steps, batch, 1) array of bool, optional
        Where a step belongs to its sequence; elsewhere `x` is not read and the states pass through.

    Returns
    -------
    outputs : (steps, batch, hidden) array
        The hidden state after every step.
    h, c : (batch, hidden) arrays
        The states after the last step.
    """
    return _apply(x, *weights, h, c, reset=reset, valid=valid)

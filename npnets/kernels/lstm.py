"""One layer of an LSTM over a sequence (Hochreiter and Schmidhuber 1997; gates and biases as in PyTorch's ``LSTM``).

    z = x_t W_x + b_x + h W_h + b_h,  z = [z_i, z_f, z_g, z_o]
    i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
    c' = f c + i g,  h' = o tanh(c')

Symbols: `x` `(steps, batch, in)`; `h`, `c` the hidden and cell state `(batch, hidden)` that enter a step, `h'`, `c'`
those that leave it; `W_x` `(in, 4 hidden)`, `W_h` `(hidden, 4 hidden)`, `b_x` and `b_h` `(4 hidden,)`; `dh` the
cotangent of `h`, and so on. Two masks `(steps, batch, 1)`, either of them `None`: where a step is `reset` the states
that enter it are zero; where it is not `valid` it lies beyond its sequence's end, `x` is not read, and the states pass
through.

The pairs for NumPy and CuPy stack the weights to `W = [W_x; b_x + b_h; W_h]`, so that a step of many columns is one
product with `u = [x_t, 1, h]`, and all weight gradients are one more, over all steps. Their arrays lie features first,
`u` as `(in + 1 + hidden, batch)` and the product as `(4 hidden, batch)`: each gate is one block of memory, and at batch
64 and `hidden` 128 two threads of BLAS need a quarter less time than for the transposed product. `W` is scaled, so that
the product is `[-z_i, -z_f, -2 z_g, -z_o]` and NumPy computes all gates with one `exp`: `sigmoid(z) = 1 / (1 +
exp(-z))`, `tanh(z) = 2 sigmoid(2 z) - 1`. NumPy's `tanh` takes twice as long without AVX-512. In return a small `g` is
exact to some 1e-7 in float32, not relative to its own size.
"""

from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels import lstm_product, lstm_step
from npnets.kernels.buffers import scratch
from npnets.kernels.compiled import lstm as compiled
from npnets.kernels.cuda import lstm_step as cuda
from npnets.kernels.logistic import sigmoid
from npnets.kernels.lstm_step import Step
from npnets.kernels.products import product

Mask: TypeAlias = Array | None
State: TypeAlias = tuple[Array, Array]
Outputs: TypeAlias = tuple[Array, Array, Array]


def _composition(x: Array, *args: Array, reset: Mask, valid: Mask) -> Outputs:
    w_x, w_h, b_x, b_h, h, c = args
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
    """For the backward: `u`, the gates, `c` and `tanh(c')` of each step, all `(steps, features, batch)`."""

    u: Array
    gates: Array
    c: Array
    tanh_c: Array


def _forward(step: Step, x: Array, *args: Array, reset: Mask, valid: Mask) -> tuple[Outputs, Residuals]:
    *weights, h, c = args
    (steps, batch, width), hidden = x.shape, h.shape[1]
    reset, valid = _features_first(reset), _features_first(valid)
    u, hs = _stacked_inputs(x, h, valid)
    outputs = hs[1:] if reset is None else scratch(x, (steps, hidden, batch))  # a reset changes the next step's h alone
    gates, tanh_c = scratch(x, (steps, 4 * hidden, batch)), scratch(x, (steps, hidden, batch))
    cs = scratch(x, (steps + 1, hidden, batch))
    cs[0] = c.T
    project = lstm_product.into_gates(u, gates, width, *weights)
    with np.errstate(over="ignore", under="ignore"):  # a gate whose `exp` is infinite or vanishes is at its bound
        for t in range(steps):
            if reset is not None:
                hs[t], cs[t] = _zero_where(reset[t], hs[t], cs[t])
            project(t)  # z = x_t W_x + b_x + h W_h + b_h
            step.forward(gates[t], cs[t], cs[t + 1], tanh_c[t], outputs[t], True)  # i, f, g, o, c', h'
            if valid is not None:
                outputs[t], cs[t + 1] = _select(valid[t], (outputs[t], cs[t + 1]), (hs[t], cs[t]))
            if reset is not None:
                hs[t + 1] = outputs[t]
    return (outputs.swapaxes(1, 2), outputs[-1].T.copy(), cs[-1].T.copy()), Residuals(u[:-1], gates, cs[:-1], tanh_c)


def _evaluate(step: Step, x: Array, *args: Array, reset: Mask, valid: Mask) -> Outputs:
    """Return the outputs of `_forward` with the memory of one step: each step overwrites the arrays of the last."""
    *weights, h, c = args
    outputs, h, c = scratch(x, (x.shape[0], *h.T.shape)), h.T, c.T.copy()
    project = lstm_product.from_step(x, *weights)
    reset, valid = _features_first(reset), _features_first(valid)
    with np.errstate(over="ignore", under="ignore"):  # a gate whose `exp` is infinite or vanishes is at its bound
        for t in range(x.shape[0]):
            if reset is not None:
                h, c = _zero_where(reset[t], h, c)
            old_c = None if valid is None else c.copy()
            z = project(x[t].T if valid is None else _zero_unless(valid[t], x[t].T), h)
            step.forward(z, c, c, outputs[t], outputs[t], False)
            if valid is not None and old_c is not None:
                outputs[t], c[:] = _select(valid[t], (outputs[t], c), (h, old_c))
            h = outputs[t]
    return outputs.swapaxes(1, 2), h.T.copy(), c.T.copy()


def _backward(
    step: Step, g: list[Array | None], residuals: Residuals, argnums: tuple[int, ...], *args: Array, **masks: Mask
) -> tuple[Array, ...]:
    _, w_x, w_h, *_ = args
    dz, dh, dc = _through_time(step, g, residuals, w_h, **masks)
    has_weights = not {1, 2, 3, 4}.isdisjoint(argnums)
    cotangents = (
        _input_cotangent(dz, w_x) if 0 in argnums else None,
        *(_weight_cotangents(residuals.u, dz, w_x.shape[0]) if has_weights else (None,) * 4),
        dh.T.copy() if 5 in argnums else None,
        dc.T.copy() if 6 in argnums else None,
    )
    return tuple(cotangents[argnum] for argnum in argnums)


def _through_time(
    step: Step, g: list[Array | None], residuals: Residuals, w_h: Array, reset: Mask, valid: Mask
) -> tuple[Array, Array, Array]:
    """Return `dz` `(4 hidden, steps, batch)`, and the cotangents of the states that enter the sequence."""
    _, gates, c, tanh_c = residuals
    reset, valid, (doutputs, *dstates) = _features_first(reset), _features_first(valid), g
    steps, features, batch = gates.shape
    xp, dz, dz_t = namespace(gates), scratch(gates, (features, steps, batch)), scratch(gates, (features, batch))
    dh, dc = (xp.zeros_like(c[0]) if part is None else part.T.copy() for part in dstates)
    for t in reversed(range(steps)):
        if doutputs is not None:
            dh += doutputs[t].T  # outputs[t] = h'
        if valid is not None:
            past = _zero_where(valid[t], dh, dc)  # where not valid: h' = h, c' = c
            dh, dc = _zero_where(~valid[t], dh, dc)
        step.backward(gates[t], c[t], tanh_c[t], dh, dc, dz_t)  # i, f, g, o, c', h'
        dz[:, t] = dz_t
        xp.matmul(w_h, dz_t, out=dh)  # z = x_t W_x + b_x + h W_h + b_h
        if valid is not None:
            dh, dc = dh + past[0], dc + past[1]
        if reset is not None:
            dh, dc = _zero_where(reset[t], dh, dc)
    return dz, dh, dc


def _input_cotangent(dz: Array, w_x: Array) -> Array:
    """Return `dx` `(steps, batch, in)`, from one product over all steps."""
    dx = product(w_x, dz.reshape(len(dz), -1))
    return dx.reshape(len(w_x), *dz.shape[1:]).transpose(1, 2, 0)


def _weight_cotangents(u: Array, dz: Array, width: int) -> tuple[Array, Array, Array, Array]:
    """Return the cotangents of `W_x`, `W_h`, `b_x` and `b_h`, from one product over all steps."""
    steps, features, _ = u.shape
    columns = by_feature = u.swapaxes(0, 1)
    if steps > 1:
        columns = scratch(u, by_feature.shape)
        columns[:] = by_feature
    dw = product(columns.reshape(features, -1), dz.reshape(len(dz), -1).T)
    return dw[:width], dw[width + 1 :], dw[width], dw[width]


def _stacked_inputs(x: Array, h: Array, valid: Mask) -> tuple[Array, Array]:
    """Return `u` of all steps and one more, with `x`, ones and the first `h` filled in; and its part with `h`."""
    steps, batch, width = x.shape
    u = scratch(x, (steps + 1, width + 1 + h.shape[1], batch))
    u[:steps, :width] = x.swapaxes(1, 2) if valid is None else _zero_unless(valid, x.swapaxes(1, 2))
    u[:, width] = 1
    hs = u[:, width + 1 :]
    hs[0] = h.T
    return u, hs


def _features_first(mask: Mask) -> Mask:
    return None if mask is None else mask.swapaxes(1, 2)


def _zero_unless(mask: Array, x: Array) -> Array:
    return namespace(x).where(mask, x, x.dtype.type(0))


def _zero_where(mask: Array, h: Array, c: Array) -> State:
    xp, zero = namespace(h), h.dtype.type(0)
    return xp.where(mask, zero, h), xp.where(mask, zero, c)


def _select(mask: Array, new: State, old: State) -> State:
    xp = namespace(mask)
    return xp.where(mask, new[0], old[0]), xp.where(mask, new[1], old[1])


def _pair(step: Step) -> Pair:
    return Pair(partial(_forward, step), partial(_backward, step), partial(_evaluate, step))


_NUMPY = _pair(lstm_step.STEP)
_apply = fused(_composition, cpu=_NUMPY, gpu=_pair(cuda.STEP), compiled=compiled.PAIR)


def lstm(x: Array, weights: tuple[Array, ...], h: Array, c: Array, reset: Mask = None, valid: Mask = None) -> Outputs:
    """Run one layer over a sequence from the states `h` and `c`; `weights` are `W_x`, `W_h`, `b_x` and `b_h`.

    Returns the hidden states after every step, `(steps, batch, hidden)`, and both states after the last step.
    """
    return _apply(x, *weights, h, c, reset=reset, valid=valid)

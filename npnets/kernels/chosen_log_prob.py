"""The log-probability of one chosen action for each row.

    log_prob = logits[x] where logits[x] is finite; elsewhere minus infinity, whose derivative is zero

Symbols: `logits` `(..., actions)` logarithms of probabilities, minus infinity for a forbidden action; `x` integers, one
for each row of `logits` or more of them in leading axes; `log_prob` and its cotangent `g` have the shape of `x`. On a
GPU, where actions are not checked, one out of range counts as forbidden.
"""

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, bare, fused
from npnets.backend import Array, namespace


def _one_hot(logits: Array, x: Array) -> Array:
    """Return which entry of each row is the chosen one, `(*x.shape, actions)` booleans."""
    chosen: Array = x[..., None] == namespace(x).arange(logits.shape[-1])
    return chosen


def _composition(logits: Array, x: Array) -> Array:
    chosen = _one_hot(logits, x) & (bare(logits) != -np.inf)
    log_prob = nnp.sum(nnp.where(chosen, logits, 0), -1)
    return nnp.where(chosen.any(-1), log_prob, -np.inf)


def _forward(logits: Array, x: Array) -> tuple[Array, Array]:
    rows = logits.reshape((1,) * (x.ndim + 1 - logits.ndim) + logits.shape)
    log_prob = np.take_along_axis(rows, x[..., None], -1)[..., 0]
    return log_prob, log_prob != -np.inf


def _forward_unchecked(logits: Array, x: Array) -> tuple[Array, Array]:
    log_prob = np.where(_one_hot(logits, x), logits, -np.inf).max(-1)
    return log_prob, log_prob != -np.inf


def _backward(g: Array, possible: Array, argnums: tuple[int, ...], logits: Array, x: Array) -> tuple[Array]:
    chosen = _one_hot(logits, x) & possible[..., None]
    dlogits = namespace(logits).where(chosen, g[..., None], 0)  # log_prob = logits[x]
    return (dlogits.sum(tuple(range(dlogits.ndim - logits.ndim))) if dlogits.ndim > logits.ndim else dlogits,)


_apply = fused(_composition, cpu=Pair(_forward, _backward), gpu=Pair(_forward_unchecked, _backward))


def chosen_log_prob(logits: Array, x: Array) -> Array:
    """Return `log_prob`; on the CPU every action of `x` is within range."""
    return _apply(logits, x)

"""The logarithm of the softmax over the last axis: normalized log-probabilities from logits.

    y = x - max(x),  l = y - log(sum(exp(y))),  p = exp(l)

Symbols: `x`, `y`, `l`, `p` `(..., actions)`; `g` the cotangent of `l`. As `y` is never positive and the sum is at least
one, `l` is never positive either. An entry of minus infinity stays one, and its cotangent is finite.
"""

import npnets.numpy as nnp
from npnets.autodiff import Pair, bare, fused
from npnets.backend import Array, namespace


def _composition(x: Array) -> Array:
    y = x - bare(nnp.max(x, -1, True))
    return y - nnp.log(nnp.sum(nnp.exp(y), -1, True))


def _forward(x: Array) -> tuple[Array, Array]:
    xp = namespace(x)
    y = x - x.max(-1, keepdims=True)
    p = xp.exp(y)
    total = p.sum(-1, keepdims=True)
    p /= total
    y -= xp.log(total)
    return y, p


def _backward(g: Array, p: Array, argnums: tuple[int, ...], x: Array) -> tuple[Array]:
    return (g - p * g.sum(-1, keepdims=True),)


_PAIR = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_PAIR, gpu=_PAIR)


def log_softmax(x: Array) -> Array:
    """Return `l`; in every row at least one entry of `x` is finite, and none is infinity or NaN."""
    return _apply(x)

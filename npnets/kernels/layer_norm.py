"""Layer normalization over the last axis (Ba, Kiros and Hinton 2016; PyTorch's ``LayerNorm``).

    y = n * weight + bias,  n = (x - mean(x)) * r,  r = 1 / sqrt(var(x) + eps)

Symbols: `x`, `y` `(..., features)`; `n` the normalized `x`; `r` `(..., 1)`; `weight` and `bias` `(features,)` or
`None`; `dy` the cotangent of `y`, `dn` that of `n`, and so on.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array
from npnets.kernels.compiled import layer_norm as compiled
from npnets.kernels.cuda import layer_norm as cuda

Residuals: TypeAlias = tuple[Array, Array]
"""For the backward: `n` and `r`."""


def _composition(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> Array:
    centred = x - nnp.mean(x, -1, True)
    y = centred / nnp.sqrt(nnp.mean(nnp.square(centred), -1, True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def _forward(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> tuple[Array, Residuals]:
    n = x - x.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt((n * n).mean(axis=-1, keepdims=True) + eps)
    n *= r
    y = n.copy() if weight is None else n * weight
    if bias is not None:
        y += bias
    return y, (n, r)


def _backward(
    compute_dx: Callable[..., Array], dy: Array, residuals: Residuals, argnums: tuple[int, ...], *args: Any, eps: float
) -> tuple[Array, ...]:
    (n, r), (_, weight, _) = residuals, args
    cotangent = (
        lambda: compute_dx(dy, n, r, weight),
        lambda: _sum_of_rows(dy * n),  # y = n * weight + bias
        lambda: _sum_of_rows(dy),
    )
    return tuple(cotangent[argnum]() for argnum in argnums)


def _input_cotangent(dy: Array, n: Array, r: Array, weight: Array | None) -> Array:
    dn = dy if weight is None else dy * weight  # y = n * weight + bias
    through_mean = dn.mean(axis=-1, keepdims=True)
    through_variance = n * (dn * n).mean(axis=-1, keepdims=True)
    return (dn - through_mean - through_variance) * r  # n = (x - mean(x)) * r


def _sum_of_rows(dy: Array) -> Array:
    return dy.reshape(-1, dy.shape[-1]).sum(axis=0)


_apply = fused(
    _composition,
    cpu=Pair(_forward, partial(_backward, _input_cotangent)),
    gpu=Pair(cuda.forward, partial(_backward, cuda.input_cotangent)),
    compiled=compiled.PAIR,
)


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float = 1e-5) -> Array:
    """Return `y`: the last axis of `x` with mean zero and variance one, then scaled and shifted."""
    return _apply(x, weight, bias, eps=eps)

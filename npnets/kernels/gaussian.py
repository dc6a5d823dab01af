"""The log-density of a normal distribution whose dimensions are independent, summed over the last axis.

    log p(x) = sum_i (-z_i^2 / 2 - log sigma_i) - actions * log(2 pi) / 2,  z = (x - mu) / sigma

Symbols: `x`, `mu`, `sigma`, `z` `(..., actions)`, of one shape and dtype; `g` `(...)` the cotangent of `log p`, `dmu`
that of `mu`, and so on.
"""

import math

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array
from npnets.kernels.compiled import gaussian as compiled
from npnets.kernels.cuda import gaussian as cuda

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)


def _composition(x: Array, mu: Array, sigma: Array) -> Array:
    z = (x - mu) / sigma
    return nnp.sum(-0.5 * z * z - nnp.log(sigma), -1) - x.shape[-1] * LOG_ROOT_2PI


def _forward(x: Array, mu: Array, sigma: Array) -> tuple[Array, Array]:
    z = x - mu
    z /= sigma
    entry = z * z
    entry *= -0.5
    entry -= np.log(sigma)
    return entry.sum(axis=-1) - x.shape[-1] * LOG_ROOT_2PI, z


def _backward(g: Array, z: Array, argnums: tuple[int, ...], x: Array, mu: Array, sigma: Array) -> tuple[Array, ...]:
    scale = g[..., None] / sigma
    dmu = scale * z
    cotangent = (lambda: -dmu, lambda: dmu, lambda: scale * (z * z - 1))  # of x, mu, sigma
    return tuple(cotangent[argnum]() for argnum in argnums)


_apply = fused(_composition, cpu=Pair(_forward, _backward), gpu=cuda.PAIR, compiled=compiled.PAIR)


def log_density(x: Array, mu: Array, sigma: Array) -> Array:
    """Return `log p(x)`, the log-density of a normal distribution summed over the last axis; `sigma` is positive."""
    return _apply(x, mu, sigma)

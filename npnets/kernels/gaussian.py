"""The log-density of a normal distribution whose dimensions are independent, summed over the last axis.

    log p(x) = sum_i (-z_i^2 / 2 - log sigma_i) - actions * log(2 pi) / 2,  z = (x - mu) / sigma

Symbols: `x`, `mu`, `sigma` `(..., actions)`; `g` `(...)` the cotangent of the answer, `dx` that of `x`, and so on.
"""

import math

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.launch import Launch

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)


def _composition(x: Array, mu: Array, sigma: Array) -> Array:
    z = (x - mu) / sigma
    return nnp.sum(-0.5 * z * z - nnp.log(sigma), -1) - x.shape[-1] * LOG_ROOT_2PI


_ENTRIES = Launch(
    "T x, T mu, T sigma",
    "T entry, T z",
    "z = (x - mu) / sigma; entry = T(-0.5) * z * z - log(sigma);",
    "gaussian_log_density_entries",
)
_COTANGENTS = Launch(
    "T g, T z, T sigma",
    "T dmu, T dsigma",
    "dmu = g * z / sigma; dsigma = g * (z * z - T(1)) / sigma;",
    "gaussian_log_density_backward",
)


def _forward(x: Array, mu: Array, sigma: Array) -> tuple[Array, Array]:
    if namespace(x) is np:
        z = x - mu
        z /= sigma
        entry = z * z
        entry *= -0.5
        entry -= np.log(sigma)
    else:
        entry, z = _ENTRIES(x, mu, sigma)
    return entry.sum(axis=-1) - x.shape[-1] * LOG_ROOT_2PI, z


def _backward(g: Array, z: Array, wanted: tuple[int, ...], x: Array, mu: Array, sigma: Array) -> tuple[Array, ...]:
    dmu, dsigma = _cotangents(g[..., None], z, sigma)
    of_argument = (lambda: -dmu, lambda: dmu, lambda: dsigma)
    return tuple(of_argument[index]() for index in wanted)


def _cotangents(g: Array, z: Array, sigma: Array) -> tuple[Array, Array]:
    if namespace(z) is not np:
        return _COTANGENTS(g, z, sigma)
    scale = g / sigma
    return scale * z, scale * (z * z - 1)


_pair = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_pair, gpu=_pair)


def log_density(x: Array, mu: Array, sigma: Array) -> Array:
    """Return the log-density of a normal distribution, summed over the last axis.

    Parameters
    ----------
    x, mu, sigma : (..., actions) arrays
        Of one shape and dtype; `sigma` is positive.

    Returns
    -------
    (...) array
    """
    return _apply(x, mu, sigma)

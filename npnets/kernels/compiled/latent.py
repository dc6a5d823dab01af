"""A variational autoencoder's latent vectors in C: see `kernels.latent` for the symbols.

Both layers are calls of the kernel of linear layers, that of `std` with the activation `exp(clip(s, low, high))`.
"""

from typing import NamedTuple

import numpy as np

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.caches import bounded_cache
from npnets.kernels.activations import Activation
from npnets.kernels.compiled.native import native

_LINEAR = (None,)


class _Residuals(NamedTuple):
    """For the backward: both outputs, and what the layers keep for theirs."""

    mean: tuple[Array, Array]
    std: tuple[Array, Array]


@bounded_cache(maxsize=64)
def _to_std(low: float, high: float) -> tuple[Activation]:
    return (Activation("clipped_exp", (low, high)),)


def _forward(
    x: Array, w_m: Array, b_m: Array, w_s: Array, b_s: Array, noise: Array, *, low: float, high: float
) -> tuple[tuple[Array, Array, Array], _Residuals]:
    mean = native.linear_forward(_LINEAR, True, x, w_m, b_m)
    std = native.linear_forward(_to_std(low, high), True, x, w_s, b_s)
    latent = std[0] * noise
    latent += mean[0]
    return (mean[0], std[0], latent), _Residuals(mean, std)


def _backward(
    g: list[Array | None], residuals: _Residuals, argnums: tuple[int, ...], *args: Array, **bounds: float
) -> tuple[Array, ...]:
    x, w_m, b_m, w_s, b_s, noise = args
    dmean, dstd, dlatent = (np.zeros_like(noise) if part is None else part for part in g)
    dmean = dmean + dlatent  # latent = mean + std * noise
    dstd = dstd + dlatent * noise
    mean, std = residuals
    of_mean = native.linear_backward(_LINEAR, (0, 1, 2), dmean, *mean, x, w_m, b_m)
    of_std = native.linear_backward(_to_std(**bounds), (0, 1, 2), dstd, *std, x, w_s, b_s)
    cotangents = (of_mean[0] + of_std[0], *of_mean[1:], *of_std[1:], dlatent * std[0] if 5 in argnums else None)
    return tuple(cotangents[argnum] for argnum in argnums)


PAIR = None if native is None else Pair(_forward, _backward)

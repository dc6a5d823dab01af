"""A variational autoencoder's latent vectors: two linear layers on the same features, and a draw from their normal.

    mean = x W_m + b_m,  s = x W_s + b_s,  std = exp(clip(s, low, high)),  latent = mean + std * noise

Symbols: `x` `(batch, in)`; `W_m` and `W_s` `(in, latent)`, `b_m` and `b_s` `(latent,)`; `noise` and the three outputs
`(batch, latent)`; `low` and `high` numbers. `dx` is the cotangent of `x`, and so on.
"""

from typing import NamedTuple

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels.compiled import latent as compiled
from npnets.kernels.linear import bias_cotangent, input_cotangent, weight_cotangent
from npnets.kernels.products import product


class Residuals(NamedTuple):
    """For the backward: `std`, and where `s` lies within its bounds."""

    std: Array
    inside: Array


def _composition(
    x: Array, w_m: Array, b_m: Array, w_s: Array, b_s: Array, noise: Array, *, low: float, high: float
) -> tuple[Array, Array, Array]:
    mean = nnp.matmul(x, w_m) + b_m
    std = nnp.exp(nnp.clip(nnp.matmul(x, w_s) + b_s, low, high))
    return mean, std, mean + std * noise


def _forward(
    x: Array, w_m: Array, b_m: Array, w_s: Array, b_s: Array, noise: Array, *, low: float, high: float
) -> tuple[tuple[Array, Array, Array], Residuals]:
    xp = namespace(x)
    mean, s = product(x, w_m), product(x, w_s)
    mean += b_m
    s += b_s
    inside = (s >= low) & (s <= high)
    std = xp.exp(s.clip(low, high))
    latent = std * noise
    latent += mean
    return (mean, std, latent), Residuals(std, inside)


def _backward(
    g: list[Array | None], residuals: Residuals, argnums: tuple[int, ...], *args: Array, **bounds: float
) -> tuple[Array, ...]:
    x, w_m, b_m, w_s, b_s, noise = args
    dmean, dstd, dlatent = (namespace(x).zeros_like(residuals.std) if part is None else part for part in g)
    dmean = dmean + dlatent  # latent = mean + std * noise
    dstd = dstd + dlatent * noise
    ds = dstd * residuals.std * residuals.inside  # std = exp(clip(s, low, high))
    cotangent = (
        lambda: input_cotangent(dmean, x, w_m) + input_cotangent(ds, x, w_s),
        lambda: weight_cotangent(dmean, x, w_m),
        lambda: bias_cotangent(dmean, b_m),
        lambda: weight_cotangent(ds, x, w_s),
        lambda: bias_cotangent(ds, b_s),
        lambda: dlatent * residuals.std,
    )
    return tuple(cotangent[argnum]() for argnum in argnums)


_PAIR = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_PAIR, gpu=_PAIR, compiled=compiled.PAIR)


def latent_draw(
    x: Array, mean: tuple[Array, Array], log_std: tuple[Array, Array], noise: Array, low: float, high: float
) -> tuple[Array, Array, Array]:
    """Return `mean`, `std` and `latent` from the weights and biases of both layers, and standard normal `noise`."""
    return _apply(x, *mean, *log_std, noise, low=low, high=high)

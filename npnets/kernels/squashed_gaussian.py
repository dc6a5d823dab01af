"""A draw from a normal distribution squashed by `tanh` into an interval, together with its log-density.

    u = mu + sigma * noise,  t = tanh(u),  action = middle + half * t
    log p(action) = sum_i (-noise_i^2 / 2 - log sigma_i - log(1 - t_i^2) - log half_i) - actions * log(2 pi) / 2

Symbols: `mu`, `sigma`, `noise` `(..., actions)`; `u` the draw before squashing; `middle` and `half` `(actions,)`, the
interval's centre and half its width; `log_norm` the terms of the density that depend on neither draw nor parameters;
`daction` `(..., actions)` and `dlog_prob` `(..., 1)` the cotangents of both outputs, `du` that of `u`, and so on.

The density is computed from `u` and `noise`, never from the action: where `t` has rounded to one, `1 - t^2` is lost,
but `-log(1 - t^2) = 2 (|u| + log(1 + exp(-2 |u|)) - log 2)` stays exact, and so does its derivative, `2 t`.
"""

import math

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array
from npnets.kernels.compiled import squashed_gaussian as compiled
from npnets.kernels.cuda import squashed_gaussian as cuda
from npnets.kernels.gaussian import LOG_ROOT_2PI
from npnets.numpy.elementwise import elementwise

LOG_4 = 2 * math.log(2)


@elementwise(lambda y, u: 2 * nnp.tanh(u))
def neg_log_det_tanh(u: Array) -> Array:
    """`log 4 - log(1 - tanh(u)^2)` of each entry, exact and smooth for every `u`; `log 4` is left to `log_norm`."""
    size = np.abs(u)
    return 2 * (size + np.log1p(np.exp(-2 * size)))


def _composition(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_norm: float
) -> tuple[Array, Array]:
    u = mu + sigma * noise
    log_prob = nnp.sum(neg_log_det_tanh(u) - 0.5 * noise * noise - nnp.log(sigma), -1) - log_norm
    return middle + half * nnp.tanh(u), log_prob


def _forward(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_norm: float
) -> tuple[tuple[Array, Array], Array]:
    u = mu + sigma * noise
    t = np.tanh(u)
    entry = neg_log_det_tanh(u)
    entry -= 0.5 * noise * noise
    entry -= np.log(sigma)
    return (middle + half * t, entry.sum(axis=-1) - log_norm), t


def _backward(
    g: list[Array | None], t: Array, argnums: tuple[int, ...], *args: Array, half: Array, **constants: object
) -> tuple[Array, ...]:
    _, sigma, noise = args
    daction, dlog_prob = g[0], 0 if g[1] is None else g[1][..., None]
    du = 2 * dlog_prob * t  # log_prob = neg_log_det_tanh(u) + ...
    if daction is not None:
        du += daction * half * (1 - t * t)  # action = middle + half * tanh(u)
    cotangent = (
        lambda: du,  # u = mu + sigma * noise
        lambda: du * noise - dlog_prob / sigma,  # log_prob = ... - log(sigma)
        lambda: du * sigma - dlog_prob * noise,  # log_prob = ... - noise^2 / 2
    )
    return tuple(cotangent[argnum]() for argnum in argnums)


_apply = fused(_composition, cpu=Pair(_forward, _backward), gpu=cuda.PAIR, compiled=compiled.PAIR)


def squashed_draw(
    mu: Array, sigma: Array, noise: Array, middle: Array, half: Array, log_half: float
) -> tuple[Array, Array]:
    """Return `action`, within the interval as rounded, and `log p(action)`, finite however far out the draw lies.

    `sigma` is positive, `noise` standard normal, and `log_half` the sum of the logarithms of `half`.
    """
    log_norm = mu.shape[-1] * (LOG_ROOT_2PI + LOG_4) + log_half
    return _apply(mu, sigma, noise, middle=middle, half=half, log_norm=log_norm)

"""A draw from a normal distribution squashed by `tanh` into an interval, together with its log-density.

    u = mu + sigma * noise,  t = tanh(u),  action = middle + half * t
    log p(action) = sum_i (-noise_i^2 / 2 - log sigma_i - log(1 - t_i^2) - log half_i) - actions * log(2 pi) / 2

Symbols: `mu`, `sigma`, `noise` `(..., actions)`; `u` the draw before squashing; `middle` and `half` `(actions,)`, the
interval's centre and half its width; `log_half` the sum of the logarithms of `half`; `g` the cotangents of both
answers, `du` that of `u`, and so on.

The density is computed from `u` and `noise`, never from the action: where `t` has rounded to one, `1 - t^2` is gone,
but `-log(1 - t^2) = 2 (|u| + log(1 + exp(-2 |u|)) - log 2)` is as exact as ever, and so is its derivative, `2 t`.
"""

import math

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels.gaussian import LOG_ROOT_2PI
from npnets.launch import Launch
from npnets.numpy.elementwise import elementwise


@elementwise(lambda answer, u: 2 * nnp.tanh(u))
def steepness(u: Array) -> Array:
    """`2 log 2 - log(1 - tanh(u)^2)` of each entry, exact and smooth for every `u`."""
    size = np.abs(u)
    return 2 * (size + np.log1p(np.exp(-2 * size)))


def _constant(actions: int, log_half: float) -> float:
    """Return what is taken from the sum over the entries."""
    return actions * (LOG_ROOT_2PI + 2 * math.log(2)) + log_half


def _composition(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_half: float
) -> tuple[Array, Array]:
    u = mu + sigma * noise
    log_prob = nnp.sum(steepness(u) - 0.5 * noise * noise - nnp.log(sigma), -1) - _constant(mu.shape[-1], log_half)
    return middle + half * nnp.tanh(u), log_prob


_DRAW = Launch(
    "T mu, T sigma, T noise, T middle, T half",
    "T action, T entry, T t",
    """const T u = mu + sigma * noise, size = fabs(u);
    t = tanh(u);
    action = middle + half * t;
    entry = T(2) * (size + log1p(exp(T(-2) * size))) - T(0.5) * noise * noise - log(sigma);""",
    "squashed_gaussian",
)
_COTANGENTS = Launch(
    "T t, T half, T noise, T sigma, T g_action, T g_log_prob",
    "T du, T dsigma, T dnoise",
    """du = g_action * half * (T(1) - t * t) + T(2) * g_log_prob * t;
    dsigma = du * noise - g_log_prob / sigma;
    dnoise = du * sigma - g_log_prob * noise;""",
    "squashed_gaussian_backward",
)


def _forward(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_half: float
) -> tuple[tuple[Array, Array], Array]:
    if namespace(mu) is np:
        u = mu + sigma * noise
        t = np.tanh(u)
        action, entry = middle + half * t, steepness(u)
        entry -= 0.5 * noise * noise
        entry -= np.log(sigma)
    else:
        action, entry, t = _DRAW(mu, sigma, noise, middle, half)
    return (action, entry.sum(axis=-1) - _constant(mu.shape[-1], log_half)), t


def _backward(
    g: list[Array | None],
    t: Array,
    wanted: tuple[int, ...],
    mu: Array,
    sigma: Array,
    noise: Array,
    *,
    middle: Array,
    half: Array,
    log_half: float,
) -> tuple[Array, ...]:
    g_action = 0 if g[0] is None else g[0]
    g_log_prob = 0 if g[1] is None else g[1][..., None]
    if namespace(t) is not np:
        cotangents = _COTANGENTS(t, half, noise, sigma, g_action, g_log_prob)
        return tuple(cotangents[index] for index in wanted)
    du = 2 * g_log_prob * t
    if g[0] is not None:
        du += g_action * half * (1 - t * t)
    of_argument = (
        lambda: du,
        lambda: du * noise - g_log_prob / sigma,
        lambda: du * sigma - g_log_prob * noise,
    )
    return tuple(of_argument[index]() for index in wanted)


_pair = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_pair, gpu=_pair)


def squashed_draw(
    mu: Array, sigma: Array, noise: Array, middle: Array, half: Array, log_half: float
) -> tuple[Array, Array]:
    """Squash a draw from a normal distribution into an interval.

    Parameters
    ----------
    mu, sigma, noise : (..., actions) arrays
        Of one shape and dtype; `sigma` is positive, `noise` standard normal.
    middle, half : (actions,) arrays
        The interval's centre and half its width; constants.
    log_half : float
        The sum of the logarithms of `half`.

    Returns
    -------
    action : (..., actions) array
        Within `[middle - half, middle + half]`, as rounded.
    log_prob : (...) array
        The log-density of the actions, summed over the last axis; finite however far the draw lies outside.
    """
    return _apply(mu, sigma, noise, middle=middle, half=half, log_half=log_half)

"""A squashed draw and its log-density on a GPU, with the symbols of `kernels/squashed_gaussian.py`."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

_DRAW = ElementwiseKernel(
    "T mu, T sigma, T noise, T middle, T half",
    "T action, T entry, T t",
    """const T u = mu + sigma * noise, size = fabs(u);
    t = tanh(u);
    action = middle + half * t;
    entry = T(2) * (size + log1p(exp(T(-2) * size))) - T(0.5) * noise * noise - log(sigma);""",
    "squashed_gaussian",
)
_COTANGENTS = ElementwiseKernel(
    "T t, T half, T noise, T sigma, T daction, T dlog_prob",
    "T du, T dsigma, T dnoise",
    """du = daction * half * (T(1) - t * t) + T(2) * dlog_prob * t;
    dsigma = du * noise - dlog_prob / sigma;
    dnoise = du * sigma - dlog_prob * noise;""",
    "squashed_gaussian_backward",
)


def _forward(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_norm: float
) -> tuple[tuple[Array, Array], Array]:
    action, entry, t = _DRAW(mu, sigma, noise, middle, half)
    return (action, entry.sum(axis=-1) - log_norm), t


def _backward(
    g: list[Array | None], t: Array, argnums: tuple[int, ...], *args: Array, half: Array, **constants: object
) -> tuple[Array, ...]:
    _, sigma, noise = args
    daction = 0 if g[0] is None else g[0]
    dlog_prob = 0 if g[1] is None else g[1][..., None]
    cotangents = _COTANGENTS(t, half, noise, sigma, daction, dlog_prob)
    return tuple(cotangents[argnum] for argnum in argnums)


PAIR = Pair(_forward, _backward)

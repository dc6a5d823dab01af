"""The log-density of a normal distribution on a GPU, with the symbols of `kernels/gaussian.py`."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

_ENTRIES = ElementwiseKernel(
    "T x, T mu, T sigma",
    "T entry, T z",
    "z = (x - mu) / sigma; entry = T(-0.5) * z * z - log(sigma) - T(0.91893853320467274178);",  # log(2 pi) / 2
    "gaussian_log_density_entries",
)
_COTANGENTS = ElementwiseKernel(
    "T g, T z, T sigma",
    "T dmu, T dsigma",
    "dmu = g * z / sigma; dsigma = g * (z * z - T(1)) / sigma;",
    "gaussian_log_density_backward",
)


def _forward(x: Array, mu: Array, sigma: Array) -> tuple[Array, Array]:
    entry, z = _ENTRIES(x, mu, sigma)
    return entry.sum(axis=-1), z


def _backward(g: Array, z: Array, argnums: tuple[int, ...], x: Array, mu: Array, sigma: Array) -> tuple[Array, ...]:
    dmu, dsigma = _COTANGENTS(g[..., None], z, sigma)
    cotangent = (lambda: -dmu, lambda: dmu, lambda: dsigma)  # of x, mu, sigma
    return tuple(cotangent[argnum]() for argnum in argnums)


PAIR = Pair(_forward, _backward)

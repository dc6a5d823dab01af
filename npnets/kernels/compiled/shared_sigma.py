"""A standard deviation that all rows share, in C: see `kernels.shared_sigma` for the symbols."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native


def _forward(log_sigma: Array, *, shape: tuple[int, ...]) -> tuple[Array, Array]:
    sigma = native.shared_sigma_forward(log_sigma, shape)
    return sigma, sigma


def _backward(
    dsigma: Array, sigma: Array, argnums: object, log_sigma: Array, *, shape: tuple[int, ...]
) -> tuple[Array]:
    return (native.shared_sigma_backward(dsigma, sigma),)


def _evaluate(log_sigma: Array, *, shape: tuple[int, ...]) -> Array:
    return native.shared_sigma_forward(log_sigma, shape)


PAIR = None if native is None else Pair(_forward, _backward, _evaluate)

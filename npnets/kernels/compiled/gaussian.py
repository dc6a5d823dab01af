"""The log-density of a normal distribution in C: see `kernels.gaussian` for the symbols."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native


def _forward(x: Array, mu: Array, sigma: Array) -> tuple[Array, None]:
    return native.gaussian_forward(x, mu, sigma), None


def _backward(g: Array, nothing: None, argnums: tuple[int, ...], *args: Array) -> tuple[Array, ...]:
    return native.gaussian_backward(argnums, g, *args)


PAIR = None if native is None else Pair(_forward, _backward)

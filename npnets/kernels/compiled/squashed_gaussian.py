"""A squashed draw with its log-density in C: see `kernels.squashed_gaussian` for the symbols."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native


def _forward(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_norm: float
) -> tuple[tuple[Array, Array], Array]:
    action, log_prob, t = native.squashed_gaussian_forward(True, mu, sigma, noise, middle, half, log_norm)
    return (action, log_prob), t


def _backward(
    g: list[Array | None], t: Array, argnums: tuple[int, ...], *args: Array, half: Array, **constants: object
) -> tuple[Array, ...]:
    return native.squashed_gaussian_backward(argnums, *g, half, t, *args)


def _evaluate(
    mu: Array, sigma: Array, noise: Array, *, middle: Array, half: Array, log_norm: float
) -> tuple[Array, Array]:
    return native.squashed_gaussian_forward(False, mu, sigma, noise, middle, half, log_norm)


PAIR = None if native is None else Pair(_forward, _backward, _evaluate)

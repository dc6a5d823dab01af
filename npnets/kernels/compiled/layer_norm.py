"""Layer normalization in C: see `kernels.layer_norm` for the symbols."""

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.compiled.native import native


def _forward(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> tuple[Array, Array]:
    """Return `y`, and the mean and `r` of each row in one array."""
    return native.layer_norm_forward(True, eps, x, weight, bias)


def _backward(
    dy: Array, statistics: Array, argnums: tuple[int, ...], *args: Array | None, eps: float
) -> tuple[Array, ...]:
    return native.layer_norm_backward(argnums, dy, statistics, eps, *args)


def _evaluate(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> Array:
    return native.layer_norm_forward(False, eps, x, weight, bias)


PAIR = None if native is None else Pair(_forward, _backward, _evaluate)

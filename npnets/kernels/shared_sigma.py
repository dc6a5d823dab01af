"""A standard deviation that is a parameter, the same for each row: `sigma[..., i] = exp(log_sigma[i])`.

Symbols: `log_sigma` `(actions,)`; `sigma` `(..., actions)`, of the given `shape`; `dsigma` the cotangent of `sigma`.
"""

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array
from npnets.kernels.compiled import shared_sigma as compiled


def _composition(log_sigma: Array, *, shape: tuple[int, ...]) -> Array:
    return nnp.exp(nnp.broadcast_to(log_sigma, shape))


def _forward(log_sigma: Array, *, shape: tuple[int, ...]) -> tuple[Array, Array]:
    sigma = np.empty(shape, log_sigma.dtype)  # filling it takes less time than broadcasting
    sigma[...] = np.exp(log_sigma)
    return sigma, sigma


def _forward_on_gpu(log_sigma: Array, *, shape: tuple[int, ...]) -> tuple[Array, Array]:
    sigma = _composition(log_sigma, shape=shape)
    return sigma, sigma


def _backward(
    dsigma: Array, sigma: Array, argnums: object, log_sigma: Array, *, shape: tuple[int, ...]
) -> tuple[Array]:
    return ((dsigma * sigma).reshape(-1, shape[-1]).sum(axis=0),)


_apply = fused(
    _composition, cpu=Pair(_forward, _backward), gpu=Pair(_forward_on_gpu, _backward), compiled=compiled.PAIR
)


def shared_sigma(log_sigma: Array, shape: tuple[int, ...]) -> Array:
    """Return standard deviations of a shape `(..., actions)`, the same for each row."""
    return _apply(log_sigma, shape=shape)

"""A standard deviation that is a parameter, the same for each row: `sigma[..., i] = exp(log_sigma[i])`.

Symbols: `log_sigma` `(actions,)`; `sigma` `(..., actions)`, of a `shape` that is given; `g` the cotangent of `sigma`.
"""

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace


def _composition(log_sigma: Array, *, shape: tuple[int, ...]) -> Array:
    return nnp.exp(nnp.broadcast_to(log_sigma, shape))


def _forward(log_sigma: Array, *, shape: tuple[int, ...]) -> tuple[Array, Array]:
    xp = namespace(log_sigma)
    if xp is not np:
        sigma = xp.exp(xp.broadcast_to(log_sigma, shape))
    else:  # to broadcast a view takes longer than to fill an array
        sigma = np.empty(shape, log_sigma.dtype)
        sigma[...] = np.exp(log_sigma)
    return sigma, sigma


def _backward(
    g: Array, sigma: Array, wanted: tuple[int, ...], log_sigma: Array, *, shape: tuple[int, ...]
) -> tuple[Array]:
    return ((g * sigma).reshape(-1, shape[-1]).sum(axis=0),)


_pair = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_pair, gpu=_pair)


def shared_sigma(log_sigma: Array, shape: tuple[int, ...]) -> Array:
    """Return standard deviations, the same for each row.

    Parameters
    ----------
    log_sigma : (actions,) array
    shape : tuple of int
        `(..., actions)`.

    Returns
    -------
    (..., actions) array
        Of the dtype of `log_sigma`.
    """
    return _apply(log_sigma, shape=shape)

"""Layer normalization over the last axis (Ba, Kiros and Hinton 2016; PyTorch's ``LayerNorm``).

    y = n * weight + bias,  n = (x - mean(x)) * r,  r = 1 / sqrt(var(x) + eps)

Symbols: `x` `(..., features)`; `n` the normalized input; `r` `(..., 1)`; `weight` and `bias` `(features,)` or `None`;
`g` the cotangent of `y`, `dn` that of `n`, and so on.
"""

from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.launch import Launch


def _composition(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> Array:
    centred = x - nnp.mean(x, -1, True)
    y = centred / nnp.sqrt(nnp.mean(nnp.square(centred), -1, True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def _forward(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> tuple[Array, tuple[Array, Array]]:
    if namespace(x) is not np:
        return _forward_on_gpu(x, weight, bias, eps)
    n = x - x.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt((n * n).mean(axis=-1, keepdims=True) + eps)
    n *= r
    y = n.copy() if weight is None else n * weight
    if bias is not None:
        y += bias
    return y, (n, r)


_CENTRED = Launch("T x, T mean", "T centred, T square", "centred = x - mean; square = centred * centred;", "centred")
_ROOT = Launch("T variance, T eps", "T r", "r = T(1) / sqrt(variance + eps);", "one_over_deviation")
_SCALED = Launch(
    "T centred, T r, T weight, T bias", "T n, T y", "n = centred * r; y = n * weight + bias;", "normalized_and_scaled"
)
_COTANGENT = Launch("T g, T n, T weight", "T dn, T dn_n", "dn = g * weight; dn_n = dn * n;", "scaled_cotangent")
_PROJECTED = Launch(
    "T dn, T n, T r, T along_mean, T along_n",
    "T dx",
    "dx = (dn - along_mean - n * along_n) * r;",
    "projected_cotangent",
)


def _forward_on_gpu(x: Array, weight: Any, bias: Any, eps: float) -> tuple[Array, tuple[Array, Array]]:
    centred, square = _CENTRED(x, x.mean(axis=-1, keepdims=True))
    r = _ROOT(square.mean(axis=-1, keepdims=True), eps)
    n, y = _SCALED(centred, r, 1 if weight is None else weight, 0 if bias is None else bias)
    return y, (n, r)


def _backward(
    g: Array,
    saved: tuple[Array, Array],
    wanted: tuple[int, ...],
    x: Array,
    weight: Array | None,
    bias: Array | None,
    *,
    eps: float,
) -> tuple[Array, ...]:
    of_argument = (_input_cotangent, _weight_cotangent, _bias_cotangent)
    return tuple(of_argument[index](g, *saved, weight) for index in wanted)


def _input_cotangent(g: Array, n: Array, r: Array, weight: Any) -> Array:
    if namespace(g) is not np:
        dn, dn_n = _COTANGENT(g, n, 1 if weight is None else weight)
        return _PROJECTED(dn, n, r, dn.mean(axis=-1, keepdims=True), dn_n.mean(axis=-1, keepdims=True))
    dn = g if weight is None else g * weight
    along_mean = dn.mean(axis=-1, keepdims=True)
    along_n = (dn * n).mean(axis=-1, keepdims=True)
    return (dn - along_mean - n * along_n) * r


def _weight_cotangent(g: Array, n: Array, r: Array, weight: Any) -> Array:
    return _rows(g * n).sum(axis=0)


def _bias_cotangent(g: Array, n: Array, r: Array, weight: Any) -> Array:
    return _rows(g).sum(axis=0)


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


_pair = Pair(_forward, _backward)
_apply = fused(_composition, cpu=_pair, gpu=_pair)


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float = 1e-5) -> Array:
    """Normalize the last axis to mean zero and variance one, then scale and shift it.

    Parameters
    ----------
    x : (..., features) array
    weight, bias : (features,) array, or None
    eps : float
        Added to the variance.

    Returns
    -------
    array of the shape and dtype of `x`
    """
    return _apply(x, weight, bias, eps=eps)

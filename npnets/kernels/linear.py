"""A linear layer and its activation in one operation, for one network or an ensemble of them.

    y = f(z),  z = x W + b

Symbols: `x` `(..., batch, in)`; `W` `(in, out)`, or `(members, in, out)` for an ensemble; `b` `(out,)`, or
`(members, 1, out)`; `f` the activation; `g` the cotangent of `y`, `dz` that of `z`, and so on. An ensemble takes one
`x` `(batch, in)` for all members, or one for each `(members, batch, in)`.
"""

from typing import Any

import numpy as onp

import npnets.numpy as np
from npnets.autodiff import fused
from npnets.backend import Array, namespace
from npnets.kernels import cuda_activations
from npnets.kernels.activations import ACTIVATIONS, cotangent, cuda_arguments


def _composition(x: Array, weight: Array, bias: Array | None, *, activation: tuple[Any, ...] | None) -> Array:
    z = np.matmul(x, weight)
    if bias is not None:
        z = z + bias
    return z if activation is None else ACTIVATIONS[activation[0]].composition(z, *activation[1:])


def _forward(
    x: Array, weight: Array, bias: Array | None, *, activation: tuple[Any, ...] | None
) -> tuple[Array, tuple[Array, Array | None]]:
    z = onp.matmul(x, weight)
    if activation is not None and namespace(z) is not onp:
        return _activated_on_gpu(z, bias, *activation)
    if bias is not None:
        z += bias
    if activation is None:
        return z, (z, None)
    name, *args = activation
    chosen = ACTIVATIONS[name]
    y = chosen.forward(z, *args)
    return y, (y, z if chosen.needs_z else None)


def _activated_on_gpu(z: Array, bias: Array | None, name: str, *args: Any) -> tuple[Array, tuple[Array, Array | None]]:
    arguments = cuda_arguments(name, args)
    if ACTIVATIONS[name].needs_z:
        y, z = cuda_activations.activated_with_z(z, bias, name, arguments)
        return y, (y, z)
    y = cuda_activations.activated_in_place(z, bias, name, arguments)
    return y, (y, None)


def _backward(
    g: Array,
    saved: tuple[Array, Array | None],
    wanted: tuple[int, ...],
    x: Array,
    weight: Array,
    bias: Array | None,
    *,
    activation: tuple[Any, ...] | None,
) -> tuple[Array, ...]:
    dz = g if activation is None else cotangent(g, *saved, *activation)
    of_argument = (_input_cotangent, _weight_cotangent, _bias_cotangent)
    return tuple(of_argument[index](dz, x, weight, bias) for index in wanted)


def _input_cotangent(dz: Array, x: Array, weight: Array, bias: Array | None) -> Array:
    dx = onp.matmul(dz, weight.swapaxes(-1, -2))
    return dx if dx.ndim == x.ndim else dx.sum(axis=0)


def _weight_cotangent(dz: Array, x: Array, weight: Array, bias: Array | None) -> Array:
    if weight.ndim == 2 and x.ndim > 2:
        x, dz = x.reshape(-1, x.shape[-1]), dz.reshape(-1, dz.shape[-1])
    columns = x.swapaxes(-1, -2)
    if x.shape[-2] == 1:
        return columns * dz  # an outer product by broadcasting costs a tenth of a matrix product with one row
    return onp.matmul(columns, dz)  # type: ignore[no-any-return]


def _bias_cotangent(dz: Array, x: Array, weight: Array, bias: Any) -> Array:
    if bias.ndim == 1:
        return dz.reshape(-1, dz.shape[-1]).sum(axis=0)  # type: ignore[no-any-return]
    return dz.sum(axis=-2, keepdims=True)  # type: ignore[no-any-return]


_apply = fused(_composition, _forward, _backward)


def linear(x: Array, weight: Array, bias: Array | None, activation: tuple[Any, ...] | None = None) -> Array:
    """Multiply by a weight, add a bias and apply an activation.

    Parameters
    ----------
    x : (..., batch, in) array
        For an ensemble `(batch, in)` or `(members, batch, in)`.
    weight : (in, out) or (members, in, out) array
    bias : (out,) or (members, 1, out) array, or None
    activation : tuple, optional
        An activation's name and its arguments, such as `("elu", 1.0)`.

    Returns
    -------
    (..., batch, out) array
        For an ensemble `(members, batch, out)`.
    """
    return _apply(x, weight, bias, activation=activation)

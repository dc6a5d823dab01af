"""Linear layers and their activations, one after the other in one operation, for one network or an ensemble of them.

    y = f(z),  z = x W + b

Symbols: `x` `(..., batch, in)`, the `y` of the layer before; `W` `(in, out)`, or `(members, in, out)` for an ensemble;
`b` `(out,)`, or `(members, 1, out)`; `f` the activation; `g` the cotangent of `y`, `dz` that of `z`, and so on. An
ensemble takes one `x` `(batch, in)` for all members, or one for each `(members, batch, in)`.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation, cotangent
from npnets.kernels.buffers import side_by_side
from npnets.kernels.compiled import linear as compiled
from npnets.kernels.cuda import activations as cuda
from npnets.kernels.products import outer, product

Activations: TypeAlias = tuple[Activation | None, ...]
_Output: TypeAlias = tuple[Array, Array | None]
_Layer: TypeAlias = Callable[[Array, Array, Array | None, Activation | None], _Output]

FEW = 2048
"""Up to this size a sum over the batch takes less time than a product with ones; beyond it, three times as long."""

MOST_ROWS = 1024
"""How many rows NumPy takes through several layers together where nothing is differentiated and there are more than
twice as many: the arrays between two layers then stay in the processor's caches. 2560 rows take 0.95 of the time so,
10240 rows 0.77; last bits may differ from those of all rows together."""


class Residuals(NamedTuple):
    """For the backward of a layer: its `x` and `y`, and its `z` where the activation's derivative needs it."""

    x: Array
    y: Array
    z: Array | None


def _composition(x: Array, *parameters: Any, activations: Activations) -> Array:
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        z = nnp.matmul(x, weight)
        z = z if bias is None else z + bias
        x = z if activation is None else FORMULAS[activation.name].composition(z, *activation.args)
    return x


def _forward(layer: _Layer, x: Array, *parameters: Any, activations: Activations) -> tuple[Array, list[Residuals]]:
    residuals = []
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        y, z = layer(x, weight, bias, activation)
        residuals.append(Residuals(x, y, z))
        x = y
    return x, residuals


def _evaluate(layer: _Layer, most_rows: int, x: Array, *parameters: Any, activations: Activations) -> Array:
    if len(x) > 2 * most_rows and len(activations) > 1 and x.ndim == 2:
        blocks = [x[start : start + most_rows] for start in range(0, len(x), most_rows)]
        outputs = [_evaluate(layer, most_rows, block, *parameters, activations=activations) for block in blocks]
        return side_by_side(outputs, -2)
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        x, _ = layer(x, weight, bias, activation)
    return x


def _layer(x: Array, weight: Array, bias: Array | None, activation: Activation | None) -> _Output:
    """Return the output of one layer, and `z` if its backward needs it."""
    z = product(x, weight)
    if bias is not None:
        z += bias
    if activation is None:
        return z, None
    formulas = FORMULAS[activation.name]
    return formulas.forward(z, *activation.args), (z if formulas.needs_z else None)


def _layer_on_gpu(x: Array, weight: Array, bias: Array | None, activation: Activation | None) -> _Output:
    """Do as `_layer`, bias and activation in one launch."""
    product = x @ weight
    if activation is None:
        if bias is not None:
            product += bias
        return product, None
    if FORMULAS[activation.name].needs_z:
        return cuda.activated_with_z(product, bias, activation)
    return cuda.activated(product, bias, activation, product), None


def _backward(
    cotangent: Callable[..., Array],
    g: Array,
    residuals: list[Residuals],
    argnums: tuple[int, ...],
    *args: Any,
    activations: Activations,
) -> tuple[Array, ...]:
    cotangents: dict[int, Array] = {}
    last = len(activations) - 1
    for index in reversed(range(len(activations))):
        activation, (x, y, z), of_weight, of_bias = activations[index], residuals[index], 2 * index + 1, 2 * index + 2
        dz = g if activation is None else cotangent(g, y, z, activation, own=index < last)  # y = f(z)
        if of_weight in argnums:
            cotangents[of_weight] = weight_cotangent(dz, x, args[of_weight])  # z = x W + b
        if of_bias in argnums:
            cotangents[of_bias] = bias_cotangent(dz, args[of_bias])
        if argnums[0] >= of_weight:
            break
        cotangents[0] = g = input_cotangent(dz, x, args[of_weight])
    return tuple(cotangents[argnum] for argnum in argnums)


def input_cotangent(dz: Array, x: Array, weight: Array) -> Array:
    """Return `dx`, summed over the members of an ensemble if they share `x`."""
    dx = product(dz, weight.swapaxes(-1, -2))
    return dx if dx.ndim == x.ndim else dx.sum(axis=0)


def weight_cotangent(dz: Array, x: Array, weight: Array) -> Array:
    """Return `dW`."""
    if weight.ndim == 2 and x.ndim > 2:
        x, dz = x.reshape(-1, x.shape[-1]), dz.reshape(-1, dz.shape[-1])
    return outer(x, dz) if x.shape[-2] == 1 else product(x.swapaxes(-1, -2), dz)


def bias_cotangent(dz: Array, bias: Array) -> Array:
    """Return `db`."""
    if bias.ndim == 1:
        dz = dz if dz.ndim == 2 else dz.reshape(-1, dz.shape[-1])
        if len(dz) == 1:
            return dz[0].copy()
        if dz.size > FEW and dz.dtype.char in "fd":
            return namespace(dz).ones(len(dz), dz.dtype) @ dz
        return dz.sum(axis=0)
    return dz.sum(axis=-2, keepdims=True)


def _pair(layer: _Layer, cotangent: Callable[..., Array], most_rows: int) -> Pair:
    return Pair(partial(_forward, layer), partial(_backward, cotangent), partial(_evaluate, layer, most_rows))


NUMPY = _pair(_layer, cotangent, MOST_ROWS)
_apply = fused(
    _composition,
    cpu=NUMPY,
    gpu=_pair(_layer_on_gpu, cuda.cotangent, sys.maxsize),
    compiled=compiled.PAIR,
)


def linear_layers(x: Array, parameters: Sequence[Any], activations: Activations) -> Array:
    """Return `y` of the last layer, `(..., batch, out)`, or `(members, batch, out)` for an ensemble.

    `parameters` holds each layer's weight and bias, which may be `None`; each activation is a named one or `None`.
    """
    return _apply(x, *parameters, activations=activations)

"""Linear layers and their activations, one after the other in one operation, for one network or an ensemble of them.

    y = f(z),  z = x W + b

Symbols: `x` `(..., batch, in)`, the `y` of the layer before; `W` `(in, out)`, or `(members, in, out)` for an ensemble;
`b` `(out,)`, or `(members, 1, out)`; `f` the activation; `g` the cotangent of `y`, `dz` that of `z`, and so on. An
ensemble takes one `x` `(batch, in)` for all members, or one for each `(members, batch, in)`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace
from npnets.kernels import cuda_activations
from npnets.kernels.activations import ACTIVATIONS, cotangent, cuda_arguments
from npnets.kernels.buffers import outer, product, side_by_side

ActivationCall = tuple[Any, ...] | None
"""An activation's name and its arguments, such as `("elu", 1.0)`."""

Activations = tuple[ActivationCall, ...]

FEW = 2048
"""Up to how many numbers a sum over the batch costs less than a product with ones, which else takes a third."""

MOST_ROWS = 1024
"""How many rows go through several layers together where nothing is differentiated and there are more than twice as
many: what lies between two layers then stays in the processor's caches. 2560 rows take 0.95 of the time so, 10240 rows
0.77; last bits may differ from what all of them give together."""


class Kept(NamedTuple):
    """What the backward of a layer needs: its `x` and `y`, and its `z` where the activation asks for it."""

    x: Array
    y: Array
    z: Array | None


def _composition(x: Array, *parameters: Any, activations: Activations) -> Array:
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        z = nnp.matmul(x, weight)
        z = z if bias is None else z + bias
        x = z if activation is None else ACTIVATIONS[activation[0]].composition(z, *activation[1:])
    return x


def _forward(x: Array, *parameters: Any, activations: Activations) -> tuple[Array, list[Kept]]:
    kept = []
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        y, z = _run(x, weight, bias, activation)
        kept.append(Kept(x, y, z))
        x = y
    return x, kept


def _evaluate(x: Array, *parameters: Any, activations: Activations) -> Array:
    if len(x) > 2 * MOST_ROWS and len(activations) > 1 and x.ndim == 2 and namespace(x) is np:
        return _evaluate_in_blocks(x, *parameters, activations=activations)
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        x, _ = _run(x, weight, bias, activation)
    return x


def _evaluate_in_blocks(x: Array, *parameters: Any, activations: Activations) -> Array:
    blocks = [x[start : start + MOST_ROWS] for start in range(0, len(x), MOST_ROWS)]
    answers = [_evaluate(block, *parameters, activations=activations) for block in blocks]
    return side_by_side(answers, -2)


def _run(x: Array, weight: Any, bias: Array | None, activation: ActivationCall) -> tuple[Array, Array | None]:
    z = product(x, weight)
    if activation is not None and type(z) is not np.ndarray and namespace(z) is not np:
        return _activated_on_gpu(z, bias, *activation)
    if bias is not None:
        z += bias
    if activation is None:
        return z, None
    chosen = ACTIVATIONS[activation[0]]
    return chosen.forward(z, *activation[1:]), (z if chosen.needs_z else None)


def _activated_on_gpu(z: Array, bias: Array | None, name: str, *args: Any) -> tuple[Array, Array | None]:
    arguments = cuda_arguments(name, args)
    if ACTIVATIONS[name].needs_z:
        return cuda_activations.activated_with_z(z, bias, name, arguments)
    return cuda_activations.activated_in_place(z, bias, name, arguments), None


def _backward(
    g: Array,
    kept: list[Kept],
    wanted: tuple[int, ...],
    x: Array,
    *parameters: Any,
    activations: Activations,
) -> tuple[Array, ...]:
    found: dict[int, Array] = {}
    last = len(activations) - 1
    for index in reversed(range(len(activations))):
        of_x, of_weight, of_bias = 2 * index, 2 * index + 1, 2 * index + 2
        weight, bias, activation = parameters[of_x], parameters[of_weight], activations[index]
        x, y, z = kept[index]
        dz = g if activation is None else cotangent(g, y, z, *activation, own=index < last)
        if of_weight in wanted:
            found[of_weight] = weight_cotangent(dz, x, weight)
        if of_bias in wanted:
            found[of_bias] = bias_cotangent(dz, bias)
        if wanted[0] > of_x:
            break
        found[0] = g = input_cotangent(dz, x, weight)
    return tuple(found[index] for index in wanted)


def input_cotangent(dz: Array, x: Array, weight: Array) -> Array:
    """Return `dx`, for the members of an ensemble together if they share `x`."""
    dx = product(dz, weight.swapaxes(-1, -2))
    return dx if dx.ndim == x.ndim else dx.sum(axis=0)


def weight_cotangent(dz: Array, x: Array, weight: Array) -> Array:
    """Return `dW`."""
    if weight.ndim == 2 and x.ndim > 2:
        x, dz = x.reshape(-1, x.shape[-1]), dz.reshape(-1, dz.shape[-1])
    return outer(x, dz) if x.shape[-2] == 1 else product(x.swapaxes(-1, -2), dz)


def bias_cotangent(dz: Array, bias: Any) -> Array:
    """Return `db`."""
    if bias.ndim == 1:
        dz = dz if dz.ndim == 2 else dz.reshape(-1, dz.shape[-1])
        if len(dz) == 1:
            return dz[0].copy()
        if dz.size > FEW and dz.dtype.char in "fd":
            return namespace(dz).ones(len(dz), dz.dtype) @ dz
        return dz.sum(axis=0)
    return dz.sum(axis=-2, keepdims=True)


_pair = Pair(_forward, _backward, _evaluate)
_apply = fused(_composition, cpu=_pair, gpu=_pair)


def linear_layers(x: Array, parameters: Sequence[Any], activations: Activations) -> Array:
    """Run linear layers with their activations one after the other.

    Parameters
    ----------
    x : (..., batch, in) array
        For an ensemble `(batch, in)` or `(members, batch, in)`.
    parameters : sequence of arrays
        Each layer's weight, `(in, out)` or `(members, in, out)`, and bias, `(out,)`, `(members, 1, out)` or `None`.
    activations : tuple
        Each layer's activation, a name and its arguments, or `None`.

    Returns
    -------
    (..., batch, out) array
        For an ensemble `(members, batch, out)`.
    """
    return _apply(x, *parameters, activations=activations)

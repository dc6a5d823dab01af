"""Layers, `MLP` and `Net` as operations."""

from math import prod
from typing import Any

from npnets.common import MLP, EnsembleLinear, LayerNorm, Linear, Net
from npnets.discrete import NoisyLinear
from npnets.export import program
from npnets.export.lowering.builder import Builder, Lowering, Outputs, Signal, each, joined
from npnets.export.program import Combine, GroupMean, Repeat, Softmax, Value
from npnets.kernels.noisy_parameters import noisy_parameters
from npnets.tree import Params


def _linear(builder: Builder, layer: Linear, params: Params, x: Signal, name: str) -> Outputs:
    weight, bias = params["weight"], params.get("bias")
    return {"output": each(x, lambda value, own: builder.linear(value, weight, bias, own), name)}


def _ensemble(builder: Builder, layer: EnsembleLinear, params: Params, x: Signal, name: str) -> Outputs:
    members = layer.ensemble_size
    inputs = x if x.is_ensemble else Signal(x.values * members, x.shape, is_ensemble=True)
    weights = iter(params["weight"])
    biases = iter(params["bias"][:, 0] if layer.bias else [None] * members)
    return {"output": each(inputs, lambda value, own: builder.linear(value, next(weights), next(biases), own), name)}


def _noisy(builder: Builder, layer: NoisyLinear, params: Params, x: Signal, name: str) -> Outputs:
    weight, bias = noisy_parameters(*(params[key] for key in layer.spec))
    return {"output": each(x, lambda value, own: builder.linear(value, weight, bias, own), name)}


def _layer_norm(builder: Builder, layer: LayerNorm, params: Params, x: Signal, name: str) -> Outputs:
    fields: dict[str, Any] = {"weight": params.get("weight"), "bias": params.get("bias"), "epsilon": float(layer.eps)}
    normed = each(x, lambda value, own: builder.add(program.LayerNorm, own, value.size, x=value, **fields), name)
    return {"output": normed}


def _mlp(builder: Builder, mlp: MLP, params: Params, x: Signal, name: str) -> Outputs:
    for index, block in enumerate(mlp._blocks):
        for key, layer in block.layers.items():
            x = builder.features(layer, params[key], x, joined(name, key))
        if block.activation is not None:
            x = activated(builder, x, block.activation, joined(name, f"{block.activation.name}_{index}"))
    return {"output": x}


def activated(builder: Builder, x: Signal, activation: Any, name: str) -> Signal:
    """Add an activation of every vector."""
    return each(x, lambda value, own: builder.activate(value, activation, own), name, x.shape)


def _net(builder: Builder, net: Net, params: Params, x: Signal, name: str) -> Outputs:
    x = builder.features(net.model, params["model"], x, joined(name, "model"))
    if net.dueling_param is not None:
        advantages, value = (builder.features(getattr(net, n), params[n], x, joined(name, n)).value for n in ("Q", "V"))
        x = Signal((_duel(builder, advantages, value, net.num_atoms, name),), (advantages.size,))
    if net.num_atoms > 1:
        x = Signal(x.values, (x.value.size // net.num_atoms, net.num_atoms))
    return {"output": softmax(builder, x, name) if net.softmax else x}


def softmax(builder: Builder, x: Signal, name: str) -> Signal:
    """Add a softmax over the last axis."""
    groups = prod(x.shape[:-1])
    own_name = joined(name, "softmax")
    return each(x, lambda v, own: builder.add(Softmax, own, v.size, x=v, groups=groups), own_name, x.shape)


def _duel(builder: Builder, advantages: Value, value: Value, atoms: int, name: str) -> Value:
    """Return `advantages - mean(advantages) + value`, the mean over actions; both may have atoms."""
    mean = builder.add(GroupMean, joined(name, "mean"), atoms, x=advantages, groups=advantages.size // atoms)
    centered = combined(builder, "subtract", advantages, mean, joined(name, "centered"))
    return combined(builder, "add", centered, value, joined(name, "values"))


def combined(builder: Builder, how: str, x: Value, y: Value, name: str) -> Value:
    """Return `x + y`, `x - y` or `x * y`; `y` is repeated where it is smaller."""
    if y.size < x.size:
        y = builder.add(Repeat, joined(y.name, "repeated"), x.size, x=y)
    return builder.add(Combine, name, x.size, x=x, y=y, how=how)


LOWERINGS: dict[type, Lowering] = {
    Linear: _linear,
    EnsembleLinear: _ensemble,
    NoisyLinear: _noisy,
    LayerNorm: _layer_norm,
    MLP: _mlp,
    Net: _net,
}

"""Networks for discrete actions as operations.

Quantile networks compute `(fractions, features)` as rows of one vector, so that the head is one operation a layer,
however many fractions there are.
"""

from typing import Any

import numpy as np

from npnets import tree
from npnets.common import BranchingNet
from npnets.discrete import Actor, CosineEmbeddingNetwork, Critic, FullQuantileFunction, ImplicitQuantileNetwork
from npnets.export.lowering.builder import Builder, Lowering, Outputs, Signal, joined
from npnets.export.lowering.feed_forward import combined, softmax
from npnets.export.program import (
    Activate,
    Affine,
    Concatenate,
    CumulativeSum,
    GroupMean,
    Repeat,
    Slice,
    Softmax,
    Transpose,
    Value,
)
from npnets.kernels.activations import Activation
from npnets.policy.network import MIDPOINTS
from npnets.tree import Params


def _actor(builder: Builder, actor: Actor, params: Params, x: Signal, name: str) -> Outputs:
    features = builder.features(actor.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    logits = builder.features(actor.last, params["last"], features, joined(name, "last"))
    if not actor.softmax_output:
        return {"logits": logits}
    return {"probs": softmax(builder, logits, name)}


def _critic(builder: Builder, critic: Critic, params: Params, x: Signal, name: str) -> Outputs:
    features = builder.features(critic.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    return {"value": builder.features(critic.last, params["last"], features, joined(name, "last"))}


def _branching_net(builder: Builder, net: BranchingNet, params: Params, x: Signal, name: str) -> Outputs:
    features = builder.features(net.common, params["common"], x, joined(name, "common"))
    value = builder.features(net.value, params["value"], features, joined(name, "value")).value
    branches = []
    for key, own in params["branches"].items():
        branch = joined(name, key)
        advantages = builder.features(net.branch, own, features, branch).value
        mean = builder.add(GroupMean, joined(branch, "mean"), 1, x=advantages, groups=advantages.size)
        centered = combined(builder, "subtract", advantages, mean, joined(branch, "centered"))
        branches.append(combined(builder, "add", centered, value, joined(branch, "values")))
    values = builder.add(Concatenate, joined(name, "values"), net.output_dim, parts=tuple(branches))
    return {"values": Signal((values,), (net.num_branches, net.action_per_branch))}


def _implicit_quantiles(
    builder: Builder, net: ImplicitQuantileNetwork, params: Params, x: Signal, name: str
) -> Outputs:
    features = builder.features(net.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    embedded = net.embed_model.forward(params["embed_model"], MIDPOINTS[None].astype(_dtype(params)))
    embedding = builder.constant(embedded, joined(name, "embedding"))
    return {"quantiles": _quantiles(builder, net, params, features.value, embedding, name)}


def _full_quantiles(builder: Builder, net: FullQuantileFunction, params: Params, x: Signal, name: str) -> Outputs:
    proposes, its_params = builder.fraction_proposal
    features = builder.features(net.preprocess_net, params["preprocess"], x, joined(name, "preprocess"))
    logits = builder.features(proposes.linear, its_params["linear"], features, joined(name, "fractions")).value
    count = logits.size
    probs = builder.add(Softmax, joined(name, "probs"), count, x=logits)
    sums = builder.add(CumulativeSum, joined(name, "sums"), count, x=probs)
    zero = builder.constant(np.zeros(1), joined(name, "zero"))
    taus = builder.add(Concatenate, joined(name, "taus"), count + 1, parts=(zero, sums))
    lower, upper = (_part(builder, taus, count, start, name) for start in (0, 1))
    both = combined(builder, "add", lower, upper, joined(name, "neighbours"))
    half, zeros = np.full(count, 0.5), np.zeros(count)
    tau_hats = builder.add(Affine, joined(name, "tau_hats"), count, x=both, scale=half, offset=zeros)
    embedding = _embedded(builder, net.embed_model, params["embed_model"], tau_hats, joined(name, "embed_model"))
    quantiles = _quantiles(builder, net, params, features.value, embedding, name)
    taus_and_hats = {"taus": Signal((taus,), (count + 1,)), "tau_hats": Signal((tau_hats,), (count,))}
    return {"quantiles": quantiles, **taus_and_hats}


def _part(builder: Builder, x: Value, size: int, start: int, name: str) -> Value:
    return builder.add(Slice, joined(name, "taus_from", str(start)), size, x=x, start=start)


def _embedded(builder: Builder, net: CosineEmbeddingNetwork, params: Params, taus: Value, name: str) -> Value:
    """Return the embeddings of fractions, a row for each."""
    dtype = _dtype(params)
    multiples = np.arange(1, net.num_cosines + 1, dtype=dtype)[None] * dtype.type(np.pi)
    angles = builder.linear(taus, multiples, None, joined(name, "angles"), rows=taus.size)
    cosines = builder.add(Activate, joined(name, "cosines"), angles.size, x=angles, function="cos")
    layer = params["linear"]
    features = builder.linear(cosines, layer["weight"], layer["bias"], joined(name, "linear"), rows=taus.size)
    return builder.activate(features, Activation("relu"), joined(name, "relu"))


def _quantiles(builder: Builder, net: Any, params: Params, features: Value, embedding: Value, name: str) -> Signal:
    """Return the quantiles of each action, `(actions, fractions)`, from the embeddings of fractions."""
    rows = embedding.size // features.size
    repeated = builder.add(Repeat, joined(name, "features"), embedding.size, x=features)
    x = combined(builder, "multiply", repeated, embedding, joined(name, "product"))
    for index, block in enumerate(net.last._blocks):  # layers alone: the head of a quantile network has no norm
        layer, own = params["last"][block.linear_name], joined(name, "last", block.linear_name)
        x = builder.linear(x, layer["weight"], layer["bias"], own, rows)
        if block.activation is not None:
            x = builder.activate(x, block.activation, joined(name, "last", f"{block.activation.name}_{index}"))
    quantiles = builder.add(Transpose, joined(name, "quantiles"), x.size, x=x, rows=rows)
    return Signal((quantiles,), (net.output_dim, rows))


def _dtype(params: Params) -> Any:
    return tree.leaves(params)[0].dtype


LOWERINGS: dict[type, Lowering] = {
    Actor: _actor,
    Critic: _critic,
    BranchingNet: _branching_net,
    ImplicitQuantileNetwork: _implicit_quantiles,
    FullQuantileFunction: _full_quantiles,
}

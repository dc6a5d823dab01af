"""From a network's outputs to an action, as `Policy` maps them, as operations."""

from typing import Any

import numpy as np

from npnets.common import BranchingNet
from npnets.discrete import FullQuantileFunction, ImplicitQuantileNetwork
from npnets.export.interface import innermost
from npnets.export.lowering.bounds import Bounds, limited, scaled
from npnets.export.lowering.builder import Builder, Outputs, Signal, vector
from npnets.export.lowering.feed_forward import combined
from npnets.export.program import Argmax, GroupMean, Slice, Softmax, Transpose, Value
from npnets.kernels.activations import TANH

_OF_QUANTILES = (FullQuantileFunction, ImplicitQuantileNetwork)


def action_of(builder: Builder, outputs: Outputs, policy: Any, dtype: Any) -> Outputs:
    """Add what a policy does with a network's outputs, and return the action."""
    first = next(iter(outputs.values()))
    if policy.to_action == "greedy" or isinstance(innermost(policy.network), _OF_QUANTILES):
        first = _scores(builder, outputs, policy.network)
    if policy.to_action == "greedy":
        return {"action": _largest(builder, first)}
    x = first.value
    low, high = (None if bound is None else tuple(bound.ravel().tolist()) for bound in (policy.low, policy.high))
    bounds: Bounds = (None, low, high)
    if policy.to_action == "squash":
        x = scaled(builder, builder.activate(x, TANH, "action_tanh"), bounds, dtype, "action")
    elif policy.to_action == "clip":
        x = limited(builder, x, bounds, "action")
    elif policy.to_action == "clip_and_scale":
        x = scaled(builder, x, bounds, dtype, "action")  # its clip to the bounds is the one to [-1, 1] too
    return {"action": Signal((x,), first.shape if policy.low is None else np.shape(policy.low))}


def _scores(builder: Builder, outputs: Outputs, network: Any) -> Signal:
    """Return a value for each action: of quantiles the mean, weighted by the fractions between which they lie."""
    values = next(iter(outputs.values()))
    if len(values.shape) == 1 or isinstance(innermost(network), BranchingNet):
        return values
    actions, count = values.shape
    quantiles = values.value
    if "taus" in outputs:
        taus = outputs["taus"].value
        lower, upper = (builder.add(Slice, f"action_taus_{start}", count, x=taus, start=start) for start in (0, 1))
        weights = combined(builder, "subtract", upper, lower, "action_weights")
        quantiles = combined(builder, "multiply", quantiles, weights, "action_weighted")
    producer = builder.producer(quantiles)
    if isinstance(producer, Transpose):
        by_fraction = producer.x
    else:
        by_fraction = builder.add(Transpose, "action_by_fraction", quantiles.size, x=quantiles, rows=actions)
    return vector(builder.add(GroupMean, "action_values", actions, x=by_fraction, groups=count))


def _largest(builder: Builder, scores: Signal) -> Signal:
    """Return the index of the largest entry along the last axis; a softmax changes nothing about it."""
    x: Value = scores.value
    producer = builder.producer(x)
    x = producer.x if isinstance(producer, Softmax) else x
    rows = scores.shape[:-1]
    return Signal((builder.add(Argmax, "action", int(np.prod(rows)), of="index", x=x),), rows)

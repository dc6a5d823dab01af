"""From a network's outputs to an action, as `Policy` maps them, as operations."""

from typing import Any

import numpy as np

from npnets.common import BranchingNet
from npnets.discrete import FullQuantileFunction, ImplicitQuantileNetwork
from npnets.export.interface import innermost
from npnets.export.lowering.bounds import Bounds, limited, scaled
from npnets.export.lowering.builder import Builder, Outputs, Signal, vector
from npnets.export.lowering.feed_forward import combined
from npnets.export.program import (
    Argmax,
    Combine,
    Concatenate,
    GroupMean,
    Repeat,
    Slice,
    Softmax,
    Transpose,
    Value,
)
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
    producer = builder.producer(values.value)
    if isinstance(producer, Transpose):
        quantiles = producer.x
    else:
        quantiles = builder.add(Transpose, "action_by_fraction", values.value.size, x=values.value, rows=actions)
    if "taus" in outputs:
        weights = _widths(builder, outputs["taus"].value, actions)
        quantiles = combined(builder, "multiply", quantiles, weights, "action_weighted")
    return vector(builder.add(GroupMean, "action_values", actions, x=quantiles, groups=count))


def _widths(builder: Builder, taus: Value, actions: int) -> Value:
    """Return the distances between fractions, each of them for all actions."""
    count = taus.size - 1
    lower, upper = (builder.add(Slice, f"action_taus_{start}", count, x=taus, start=start) for start in (0, 1))
    widths = combined(builder, "subtract", upper, lower, "action_weights")
    return builder.linear(widths, np.ones((1, actions), np.float32), None, "action_weights_of_each", rows=count)


def _largest(builder: Builder, scores: Signal) -> Signal:
    """Return the index of the largest entry along the last axis."""
    rows = scores.shape[:-1]
    x = _comparable(builder, scores.value, int(np.prod(rows)))
    return Signal((builder.add(Argmax, "action", int(np.prod(rows)), of="index", x=x),), rows)


def _comparable(builder: Builder, x: Value, rows: int) -> Value:
    """Return a vector whose largest entries are at the same places, without what changes nothing about these.

    That is a softmax, and what is added to all entries of a row, such as the value of a dueling or a branching network.
    """
    producer = builder.producer(x)
    if rows == 1 and isinstance(producer, Softmax):
        return _comparable(builder, producer.x, 1)
    if rows == 1 and isinstance(producer, Combine) and producer.how in ("add", "subtract"):
        added = builder.producer(producer.y)
        return _comparable(builder, producer.x, 1) if isinstance(added, Repeat) and added.x.size == 1 else x
    if isinstance(producer, Concatenate) and len(producer.parts) == rows > 1:
        parts = tuple(_comparable(builder, part, 1) for part in producer.parts)
        return builder.add(Concatenate, "action_scores", x.size, parts=parts)
    return x

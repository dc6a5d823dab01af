"""Normalized observations as operations."""

from typing import Any

import numpy as np

from npnets.export.lowering.builder import Builder, Lowering, Outputs, Signal, each, joined
from npnets.export.program import Normalize
from npnets.normalization import Normalization, Normalized
from npnets.tree import Params


def _normalized(builder: Builder, network: Normalized, params: Params, x: Signal, name: str) -> Outputs:
    statistics = params["normalization"]
    state = Normalization(statistics["mean"], statistics["var"], 0.0, network.clip, network.epsilon)
    x = normalized(builder, state, x, joined(name, "normalized"))
    return builder.outputs(network.network, params["network"], x, joined(name, "network"))


def normalized(builder: Builder, state: Normalization, x: Signal, name: str) -> Signal:
    """Add the normalization of observations."""
    mean, var = (np.ravel(np.asarray(part, np.float64)) for part in (state.mean, state.var))
    fields: dict[str, Any] = {
        "mean": mean,
        "deviation": np.sqrt(np.maximum(var, 0) + state.epsilon),
        "limit": state.clip,
    }
    return each(x, lambda v, own: builder.add(Normalize, own, v.size, x=v, **fields), name, x.shape)


LOWERINGS: dict[type, Lowering] = {Normalized: _normalized}

"""The npnets side of the quantile networks: how they are called with the inputs of a case."""

from typing import Any

import npnets.numpy as nnp
from npnets.discrete import FractionProposalNetwork, Fractions, FullQuantileFunction, ImplicitQuantileNetwork

CLASSES = (ImplicitQuantileNetwork, FullQuantileFunction)


def called(net: Any, params: Any, inputs: dict[str, Any]) -> Any:
    """Call a quantile network with given fractions, or with the parameters of the network that proposes them."""
    if isinstance(net, FullQuantileFunction):
        return net.forward(params, inputs["obs"], *_proposal(inputs))
    state = {"hidden": inputs["hidden"], "cell": inputs["cell"]} if "hidden" in inputs else None
    return net.forward(params, inputs["obs"], inputs["taus"].shape[1], taus=inputs["taus"], state=state)


def _proposal(inputs: dict[str, Any]) -> tuple[Any, ...]:
    if "propose_weight" not in inputs:
        fractions = Fractions(inputs["taus"], inputs["tau_hats"], entropies=nnp.sum(inputs["taus"], 1))
        return None, None, fractions
    weight, bias = inputs["propose_weight"], inputs["propose_bias"]
    features, fractions = weight.shape
    return FractionProposalNetwork(fractions, features), {"linear": {"weight": weight, "bias": bias}}

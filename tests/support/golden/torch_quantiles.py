"""Tianshou's quantile networks and noisy layers: how they are called with given fractions, and their parameters."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import torch
import torch_recurrent
from tianshou.data import Batch
from tianshou.utils.net import discrete
from torch import nn

NAMES = (
    *("CosineEmbeddingNetwork", "ImplicitQuantileNetwork", "FractionProposalNetwork", "FullQuantileFunction"),
    "NoisyLinear",
)
CLASSES: dict[str, Any] = {name: getattr(discrete, name, None) for name in NAMES}

Inputs = dict[str, torch.Tensor]


def is_one(net: nn.Module) -> bool:
    """Tell whether a network is called with fractions."""
    return isinstance(net, discrete.ImplicitQuantileNetwork)  # and FullQuantileFunction, its subclass


def run(net: nn.Module, inputs: Inputs) -> Any:
    """Call a quantile network with fractions in place of those that it draws, or with those that are proposed."""
    if isinstance(net, discrete.FullQuantileFunction):
        (quantiles, fractions, quantiles_tau), state = _full(net, inputs)
        return quantiles, fractions.taus, fractions.tau_hats, fractions.entropies, quantiles_tau, state
    state = {name: value for name, value in inputs.items() if name in ("hidden", "cell")} or None
    taus = inputs["taus"]
    with patch.object(torch, "rand", lambda *shape, **_: _of_shape(taus, shape)):
        if not torch_recurrent.has_lstm(net):
            return net(inputs["obs"], taus.shape[1])
        with patch.object(torch.Tensor, "detach", lambda self: self):
            return net(inputs["obs"], taus.shape[1], state=state)


def _full(net: nn.Module, inputs: Inputs) -> Any:
    if "propose_weight" not in inputs:
        fractions = Batch(taus=inputs["taus"], tau_hats=inputs["tau_hats"], entropies=inputs["taus"].sum(1))
        return net(inputs["obs"], None, fractions)
    weight, bias = inputs["propose_weight"], inputs["propose_bias"]
    proposal = discrete.FractionProposalNetwork(len(bias), len(weight))
    parameters = {"net.weight": weight.T, "net.bias": bias}
    return net(inputs["obs"], lambda features: torch.func.functional_call(proposal, parameters, (features,)))


def _of_shape(taus: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    assert tuple(taus.shape) == shape, (taus.shape, shape)
    return taus


def parameters(net: nn.Module) -> Iterator[tuple[str, torch.Tensor]] | None:
    """Go through the parameters of a part that has names of its own here; `None` for any other part."""
    if isinstance(net, discrete.NoisyLinear):
        names = {"mu_W": "mu_weight", "sigma_W": "sigma_weight"}
        return ((names.get(name, name), tensor) for name, tensor in [*net.named_parameters(), *net.named_buffers()])
    if isinstance(net, discrete.CosineEmbeddingNetwork):
        return ((f"linear.{name}", parameter) for name, parameter in net.net[0].named_parameters())
    if isinstance(net, discrete.FractionProposalNetwork):
        return ((f"linear.{name}", parameter) for name, parameter in net.net.named_parameters())
    return None

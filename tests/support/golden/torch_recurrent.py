"""Tianshou's recurrent networks: how to call one so that every output has a gradient, and its LSTM's parameters."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

import tianshou
import torch
from tianshou.utils.net.common import Recurrent
from tianshou.utils.net.continuous import RecurrentCritic
from torch import nn

NAMES = {"nn": "lstm", "fc1": "first", "fc2": "last"}
"""npnets' names of the parts."""


def has_lstm(net: nn.Module) -> bool:
    """Tell whether a network, or a part of it, is recurrent."""
    return any(isinstance(part, nn.LSTM) for part in net.modules())


def with_output_dim() -> AbstractContextManager[Any]:
    """Give `Recurrent` the attribute without which Tianshou makes no actor or critic on it; 2.x gives it itself."""
    if not tianshou.__version__.startswith("1."):
        return nullcontext()
    return patch.object(Recurrent, "output_dim", property(lambda net: net.fc2.out_features), create=True)


def run(net: nn.Module, inputs: dict[str, torch.Tensor]) -> Any:
    """Call a recurrent network, with a state if the inputs have one.

    Tianshou detaches the states that it returns; here they keep their gradients.
    """
    state = {name: value for name, value in inputs.items() if name in ("hidden", "cell")}
    args = [value for name, value in inputs.items() if name not in state]
    if isinstance(net, RecurrentCritic):
        return run_critic(net, args, state) if state else net(*args)
    with patch.object(torch.Tensor, "detach", lambda self: self):
        return net(*args, state=state or None)


def run_critic(net: RecurrentCritic, args: list[torch.Tensor], state: dict[str, torch.Tensor]) -> Any:
    """Call a critic whose LSTM begins with a state, and return the value and the new state."""
    found = []
    begin = tuple(value.transpose(0, 1).contiguous() for value in state.values())
    hooks = [
        net.nn.register_forward_pre_hook(lambda _, given: (*given, begin)),
        net.nn.register_forward_hook(lambda _, given, output: found.extend(output[1])),
    ]
    value = net(*args)
    for hook in hooks:
        hook.remove()
    return value, dict(zip(("hidden", "cell"), (part.transpose(0, 1) for part in found), strict=True))


def lstm_parameters(lstm: nn.LSTM) -> Iterator[tuple[str, nn.Parameter]]:
    """Go through an LSTM's parameters: `weight_ih_l0` is `layer_0.weight_ih`."""
    for name, parameter in lstm.named_parameters():
        kind, layer = name.rsplit("_l", 1)
        yield f"layer_{layer}.{kind}", parameter

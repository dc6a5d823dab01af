"""Several critics as one network of ensemble layers: its construction, its target and its loss.

One product with stacked weights computes all critics; each critic is trained as it would be alone.
"""

from __future__ import annotations

import functools
from typing import Any

import npnets
import npnets.numpy as nnp
from examples.shared.transitions import Array


def make_critics(
    members: int, obs_dim: int, act_dim: int, hidden_sizes: tuple[int, ...], device: str | int = "cpu"
) -> npnets.Critic:
    """Return an ensemble of critics with the same layers; its output is `(members, batch, 1)`."""
    layer = functools.partial(npnets.EnsembleLinear, members)
    net = npnets.Net(obs_dim, act_dim, hidden_sizes=hidden_sizes, concat=True, device=device, linear_layer=layer)
    return npnets.Critic(net, device=device, linear_layer=layer, flatten_input=False)


def td_target(rewards: Array, terminals: Array, gamma: float, next_values: Array) -> Array:
    """Return the target `(batch, 1)`: the reward plus the discounted value `(batch, 1)` of the next state.

    The next value is zero after a terminal state. A time limit is not a terminal state.
    """
    return rewards[:, None] + gamma * (1 - terminals[:, None]) * next_values


def critics_loss(params: Any, critics: npnets.Critic, obs: Array, act: Array, target: Array) -> Any:
    """Mean squared error of every critic from one target `(batch, 1)`, summed over the critics.

    With a sum, the gradient of each critic is the same as if it were alone.
    """
    return nnp.sum((critics.forward(params, obs, act) - target) ** 2) / len(target)

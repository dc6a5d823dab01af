"""Several critics as one network of ensemble layers: how it is made, what it should say, and how wrong it is.

One product with stacked weights does the work of all critics; each learns as it would alone.
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
    """Describe critics of one form; they answer with `(members, batch, 1)`."""
    layer = functools.partial(npnets.EnsembleLinear, members)
    net = npnets.Net(obs_dim, act_dim, hidden_sizes=hidden_sizes, concat=True, device=device, linear_layer=layer)
    return npnets.Critic(net, device=device, linear_layer=layer, flatten_input=False)


def bootstrapped(rewards: Array, terminals: Array, gamma: float, next_values: Array) -> Array:
    """Return the value of a step `(batch, 1)`: its reward, and the discounted value `(batch, 1)` of what it led to.

    Nothing comes after a terminal state. A time limit is none: what would have come after it counts.
    """
    return rewards[:, None] + gamma * (1 - terminals[:, None]) * next_values


def critics_loss(params: Any, critics: npnets.Critic, obs: Array, act: Array, target: Array) -> Any:
    """Mean squared error of every critic from one target `(batch, 1)`, summed over the critics.

    A sum, so that the gradient of each is the one that it would have alone.
    """
    return nnp.sum(nnp.mean((critics.forward(params, obs, act) - target) ** 2, (1, 2)))

"""PPO for discrete actions (Schulman et al. 2017, arXiv:1707.06347), with a trunk that actor and critic share.

    python examples/discrete/ppo_discrete.py --seed 0 --out runs/ppo_discrete
    python examples/discrete/ppo_discrete.py --env Acrobot-v1

The algorithm is that of `examples/online/ppo.py`. This file has the networks: the actor returns the logits of a
categorical distribution, and `ActorCritic` has the trunk once, so that one optimizer trains all three parts.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np

import npnets
from examples.discrete.discrete_training import main
from examples.online import ppo
from npnets import discrete, initializers, normalization, optim
from npnets.backend import Array, to_numpy
from npnets.distributions import Categorical


@dataclass(frozen=True)
class Hyperparameters:
    """Settings of the example, whose meaning is that of `examples/online/ppo.py`."""

    steps: int = 100_000
    num_envs: int = 8
    horizon: int = 128
    passes: int = 10
    batch_size: int = 128
    hidden_sizes: tuple[int, ...] = (64, 64)
    lr: float = 1e-3
    max_grad_norm: float = 0.5
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip_ratio: float = 0.2
    value_weight: float = 0.5
    entropy_weight: float = 0.005
    normalize_advantages: bool = True
    device: str = "cpu"

    @property
    def decay_steps(self) -> int:
        """All steps: the learning rate falls to zero at their end."""
        return self.steps


class DiscretePPO(ppo.PPO):
    """PPO whose actor chooses among a number of actions.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, actions : int
        Width of an observation, and number of actions.
    device : str
        Device of parameters and training.
    """

    settings: Any

    def __init__(self, settings: Hyperparameters, obs_dim: int, actions: int, device: str = "cpu") -> None:
        self.settings = replace(settings, device=device)
        trunk = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, activation="tanh", device=device)
        self.actor = discrete.Actor(trunk, actions, softmax_output=False, device=device)
        self.critic = discrete.Critic(trunk, device=device)
        self.networks = npnets.ActorCritic(self.actor, self.critic, share_preprocess=True)

    def init(self, rng: np.random.Generator) -> ppo.State:
        """Draw orthogonal weights, among them those of the trunk once."""
        params = initializers.orthogonalize(rng, self.networks.init(rng), np.sqrt(2))
        return ppo.State(params, optim.adam(self.settings.lr).init(params), None, normalization.init(()))

    def policy(self, params: Any) -> Any:
        """Return the actor's parameters, with the trunk."""
        return self.networks.split(params)["actor"]

    def distribution(self, actor: Any, obs: Array) -> Categorical:
        """Return the actor's distribution over actions."""
        return Categorical.from_actor(self.actor, actor, obs)[0]

    def action(self, draw: Array) -> Array:
        """Return the actions, which are their own draws."""
        return draw

    def act(self, params: Any, obs: Array) -> Array:
        """Return the likeliest actions, a NumPy array `(n,)`, for observations `(n, obs_dim)`."""
        return to_numpy(self.distribution(self.policy(params), obs).mode())


def learn_by_rollouts(
    agent: DiscretePPO, make_env: Callable[[], gymnasium.Env], seed: int
) -> Iterator[tuple[int, ppo.State, dict[str, Any]]]:
    """Play a rollout and learn from it, in turn, as `ppo.train` does.

    Yields
    ------
    int
        Steps taken in all environments together.
    State
        The state after these steps.
    dict
        Losses of the last learning step.
    """
    settings, rng, taken = agent.settings, np.random.default_rng(seed), 0
    envs: Any = gymnasium.vector.SyncVectorEnv([make_env] * settings.num_envs)
    state, losses = agent.init(rng), dict[str, Any]()
    yield taken, state, losses
    state, at = ppo.begin(agent, envs, state, rng)
    while (left := settings.steps - taken) > 0:
        steps = min(settings.horizon, math.ceil(left / settings.num_envs))
        state, at, rollout = ppo.play(agent, envs, state, at, steps, rng)
        if rollout.valid.any():
            state, losses = agent.learn(state, rollout, agent.lr(taken), rng)
        taken += int(rollout.valid.sum())
        yield taken, state, losses
    envs.close()


if __name__ == "__main__":
    sys.exit(main("ppo_discrete", "PPO", DiscretePPO, Hyperparameters(), learn_by_rollouts))

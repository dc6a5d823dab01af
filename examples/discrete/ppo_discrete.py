"""PPO for discrete actions (Schulman et al. 2017, arXiv:1707.06347), with a trunk that actor and critic share.

    python examples/discrete/ppo_discrete.py --seed 0 --out runs/ppo_discrete
    python examples/discrete/ppo_discrete.py --env Acrobot-v1

The algorithm is that of `examples/online/ppo.py`. This file has the networks: the actor returns the logits of a
categorical distribution, and `ActorCritic` has the trunk once, so that one optimizer trains all three parts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

import npnets
from examples.discrete.discrete_training import main
from examples.online import ppo
from examples.online.rollouts import Array
from npnets import discrete
from npnets.distributions import Categorical


@dataclass(frozen=True)
class Hyperparameters(ppo.CommonHyperparameters):
    """Settings of the example, whose meaning is that of `CommonHyperparameters`."""

    steps: int = 100_000
    environments: int = 8
    gamma: float = 0.99
    entropy_weight: float = 0.005
    reward_scale: float = 0.05


class DiscretePPO(ppo.PPO):
    """PPO whose actor chooses among a number of actions.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, actions : int
        Width of an observation, and number of actions.
    device : str or int
        Device of parameters and training.
    """

    def __init__(self, settings: Any, obs_dim: int, actions: int, device: str | int = "cpu") -> None:
        super().__init__(settings, obs_dim, actions, device)
        self.networks = npnets.ActorCritic(self.actor, self.critic, share_preprocess=True)

    def make_networks(self, trunk: npnets.Net, act_dim: int) -> tuple[discrete.Actor, discrete.Critic]:
        """Return an actor that returns logits, and a critic, on the same trunk."""
        actor = discrete.Actor(trunk, act_dim, softmax_output=False, device=self.device)
        return actor, discrete.Critic(trunk, device=self.device)

    def init(self, rng: np.random.Generator) -> ppo.State:
        """Draw parameters, among them those of the trunk once."""
        params = self.networks.init(rng)
        return ppo.State(params, self.make_optimizer(self.settings.learning_rate).init(params))

    def policy(self, params: Any) -> Any:
        """Return the actor's parameters, with the trunk."""
        return self.networks.split(params)["actor"]

    def distribution(self, params: Any, observations: Array) -> Categorical:
        """Return the actor's distribution over actions."""
        return Categorical.from_actor(self.actor, self.policy(params), observations)[0]

    def sample(self, distribution: Any, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return actions twice, which are their own draws, and the logarithms of their probabilities."""
        action, log_prob = distribution.sample_and_log_prob(rng)
        return action, action, log_prob

    def log_prob(self, distribution: Any, draws: Array) -> Any:
        """Return the logarithms `(n,)` of the probabilities of stored actions."""
        return distribution.log_prob(draws)

    def entropy(self, distribution: Any) -> Any:
        """Return the entropies `(n,)`."""
        return distribution.entropy()

    def values(self, params: Any, observations: Array) -> Any:
        """Return the critic's values `(n,)` of observations `(n, obs_dim)`."""
        return self.critic.forward(self.networks.split(params)["critic"], observations)[:, 0]


if __name__ == "__main__":
    sys.exit(main("ppo_discrete", "PPO", DiscretePPO, Hyperparameters(), ppo.learn_by_rollouts))

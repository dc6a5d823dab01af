"""DQN with an implicit quantile network (IQN; Dabney et al. 2018, arXiv:1806.06923), and n-step returns.

    python examples/discrete/quantile_dqn.py --seed 0 --out runs/quantile_dqn
    python examples/discrete/quantile_dqn.py --env Acrobot-v1

The network learns the distribution of each action's return: it estimates quantiles at fractions that are drawn, by the
regression loss of quantiles. The action with the highest mean over its quantiles is the best.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np

import npnets
import npnets.numpy as nnp
from examples.discrete.discrete_training import main
from examples.discrete.learning_state import State, gradient_step, initial_state, update_targets
from examples.discrete.replay_learning import Batch, learn_by_replay
from examples.discrete.rollouts import Array
from npnets import discrete, optim, tree
from npnets.backend import to_numpy


@dataclass(frozen=True)
class Hyperparameters:
    """Settings of the example.

    Attributes
    ----------
    steps
        Steps in all environments together.
    warmup
        Initial steps without learning.
    environments
        Number of parallel environments.
    horizon
        Steps of a rollout in each environment.
    updates
        Learning steps after each rollout.
    hidden_sizes
        Hidden layers of the trunk.
    cosines
        Number of cosines that embed a fraction.
    capacity
        Number of transitions in the replay buffer. Returns of several steps are those of the policy that played, so
        that transitions of much older policies mislead.
    batch_size
        Transitions per learning step, drawn uniformly with replacement from the buffer.
    quantiles
        Number of fractions that are drawn for each transition, and again for its target.
    acting_quantiles
        Number of quantiles, at evenly spaced fractions, whose mean is the value of an action.
    learning_rate
        Adam's initial learning rate; it falls linearly to zero.
    gamma
        Discount per step.
    n_steps
        Number of rewards in a return before the target network's value.
    tau
        Step size of every soft update of the target network toward the trained network.
    epsilon
        Probability of a random action, after it has fallen linearly from 1.
    exploration_steps
        Steps in all environments during which it falls.
    reward_scale
        Factor by which rewards are multiplied before training.
    """

    steps: int = 40_000
    warmup: int = 1000
    environments: int = 8
    horizon: int = 32
    updates: int = 64
    hidden_sizes: tuple[int, ...] = (128, 128)
    cosines: int = 32
    capacity: int = 10_000
    batch_size: int = 128
    quantiles: int = 8
    acting_quantiles: int = 32
    learning_rate: float = 3e-3
    gamma: float = 0.99
    n_steps: int = 10
    tau: float = 0.02
    epsilon: float = 0.05
    exploration_steps: int = 10_000
    reward_scale: float = 0.1


def quantile_loss(quantiles: Any, taus: Array, targets: Array) -> Any:
    """Return the Huber loss of quantile regression, equation (3) of the paper with a threshold of one.

    Parameters
    ----------
    quantiles, taus : (batch, n) arrays
        Estimates, and their fractions.
    targets : (batch, m) array
        Draws from the distribution to estimate.
    """
    errors = targets[:, None, :] - quantiles[:, :, None]
    size = nnp.abs(errors)
    huber = nnp.where(size <= 1, errors**2 / 2, size - 0.5)
    weights = nnp.where(npnets.stop_gradient(errors) < 0, 1 - taus[:, :, None], taus[:, :, None])
    return nnp.mean(nnp.sum(nnp.mean(weights * huber, 2), 1))


def quantiles_of(quantiles: Any, actions: Array) -> Any:
    """Return the quantiles `(batch, n)` of one action in each row of `(batch, actions, n)`."""
    return nnp.take_along_axis(quantiles, actions[:, None, None], 1)[:, 0]


class QuantileDQN:
    """The network, its settings and its optimizer; an object does not change during training.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, actions : int
        Width of an observation, and number of actions.
    device : str or int
        Device of parameters and training.
    """

    def __init__(self, settings: Hyperparameters, obs_dim: int, actions: int, device: str | int = "cpu") -> None:
        self.settings, self.actions, self.device = settings, actions, device
        trunk = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, device=device)
        self.actor = discrete.ImplicitQuantileNetwork(trunk, actions, num_cosines=settings.cosines, device=device)
        rollouts = settings.steps / (settings.environments * settings.horizon)
        rate = optim.linear_schedule(settings.learning_rate, 0.0, max(1, int(settings.updates * rollouts)))
        self.optimizers = {"actor": optim.adam(rate)}

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the target network starts equal to the network."""
        params = {"actor": self.actor.init(rng)}
        return initial_state(params, self.optimizers, targets=params)

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Array]]:
        """Take one gradient step, and update the target network.

        Parameters
        ----------
        state : State
        batch : Batch
        rng : np.random.Generator
            Draws the fractions.

        Returns
        -------
        State
        dict
            The loss.
        """
        obs, act, returns, following, discounts = tree.to_device(batch, self.device)
        values = self.next_values(state.targets["actor"], following, rng)
        targets = self.settings.reward_scale * returns[:, None] + discounts[:, None] * values
        state, loss = gradient_step(state, self.optimizers, "actor", self.loss, obs, act, targets, rng)
        return update_targets(state, self.settings.tau), {"loss": loss}

    def next_values(self, params: Any, observations: Array, rng: np.random.Generator) -> Array:
        """Return the quantiles `(batch, n)` of the best action, at drawn fractions.

        The same fractions choose the action, where the paper draws others: one forward in place of two.
        """
        (quantiles, _), _ = self.actor.forward(params, observations, self.settings.quantiles, rng=rng)
        return quantiles_of(quantiles, quantiles.mean(2).argmax(1))

    def loss(self, params: Any, obs: Array, actions: Array, targets: Array, rng: np.random.Generator) -> Any:
        """Return the loss of the quantiles of the actions that were taken, at drawn fractions."""
        (quantiles, taus), _ = self.actor.forward(params, obs, self.settings.quantiles, rng=rng)
        return quantile_loss(quantiles_of(quantiles, actions), taus, targets)

    def explore(self, params: dict[str, Any], observations: Array, epsilon: float, rng: np.random.Generator) -> Array:
        """Return actions for observations `(n, obs_dim)`, each of them random with probability `epsilon`."""
        rows = len(observations)
        at_random = rng.random(rows) < epsilon
        return np.where(at_random, rng.integers(self.actions, size=rows), self.act(params, observations))

    def act(self, params: dict[str, Any], observations: Array) -> Array:
        """Return the best actions, a NumPy array `(n,)`, for observations `(n, obs_dim)`."""
        number = self.settings.acting_quantiles
        taus = np.broadcast_to((np.arange(number) + 0.5) / number, (len(observations), number))
        (quantiles, _), _ = self.actor.forward(params["actor"], observations, number, taus=taus)
        return to_numpy(quantiles.mean(2).argmax(1))

    def policy(self, params: dict[str, Any]) -> Any:
        """Return the network's parameters."""
        return params["actor"]


if __name__ == "__main__":
    sys.exit(main("quantile_dqn", "IQN", QuantileDQN, Hyperparameters(), learn_by_replay))

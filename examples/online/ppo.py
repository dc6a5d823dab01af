"""PPO: proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347), with a trunk that actor and critic share.

    python examples/online/ppo.py --seed 0 --out runs/ppo

Collects a rollout in several environments, estimates the advantage of each action (generalized advantage estimation,
Schulman et al. 2016, arXiv:1506.02438), and increases the density of actions with a positive advantage, limited by the
clipped ratio of new and old densities. Actions are normal draws squashed into their bounds; rollouts store the draws,
because many draws near a bound round to the same action.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np

import npnets
import npnets.numpy as nnp
from examples.online.online_training import main
from examples.online.rollouts import Array, Draw, Environments, Rollout
from npnets import optim
from npnets.backend import to_device, to_numpy
from npnets.distributions import Gaussian, SquashedGaussian


@dataclass(frozen=True)
class CommonHyperparameters:
    """Settings of PPO, whatever its actions are.

    Attributes
    ----------
    steps
        Steps in all environments together.
    environments
        Number of parallel environments.
    horizon
        Steps of a rollout in each environment.
    epochs
        Passes over each rollout.
    batch_size
        Steps per gradient step.
    hidden_sizes
        Hidden layers of the trunk.
    learning_rate
        Adam's initial learning rate; it falls linearly to zero.
    clip_norm
        Largest norm of a gradient.
    gamma
        Discount per step.
    gae_lambda
        Decay rate of later TD errors in an advantage.
    clip_ratio
        Largest distance from one at which a ratio of densities has a gradient.
    value_weight, entropy_weight
        Weights of the critic's loss and of the entropy before squashing in the total loss.
    reward_scale
        Factor by which rewards are multiplied before training.
    """

    steps: int = 300_000
    environments: int = 16
    horizon: int = 128
    epochs: int = 10
    batch_size: int = 128
    hidden_sizes: tuple[int, ...] = (64, 64)
    learning_rate: float = 1e-3
    clip_norm: float = 0.5
    gamma: float = 0.95
    gae_lambda: float = 0.95
    clip_ratio: float = 0.2
    value_weight: float = 0.5
    entropy_weight: float = 0.0
    reward_scale: float = 0.1


@dataclass(frozen=True)
class Hyperparameters(CommonHyperparameters):
    """Settings of the example: those of every PPO, and the bound of actions.

    Attributes
    ----------
    max_action
        Bound of every action entry, or one bound for each; Pendulum's torque is within [-2, 2] N m.
    """

    max_action: float | tuple[float, ...] = 2.0


class State(NamedTuple):
    """Training state: parameters of the actor and of the critic's own part; the optimizer's state."""

    params: dict[str, Any]
    optimizer: Any


class TrainingData(NamedTuple):
    """Steps to learn from: observations and draws `(n, dim)`, log-densities, advantages and returns `(n,)`."""

    observations: Array
    draws: Array
    log_probs: Array
    advantages: Array
    returns: Array


def generalized_advantages(
    rollout: Rollout, values: Array, next_values: Array, gamma: float, gae_lambda: float
) -> Array:
    """Return the advantage of each step, `(steps, envs)`, by generalized advantage estimation.

    Parameters
    ----------
    rollout : Rollout
    values, next_values : (steps, envs) arrays
        The critic's values of the observations before and after each step. The next value is ignored after a terminal
        state, but not at a time limit.
    gamma, gae_lambda : float
    """
    td_errors = rollout.rewards + gamma * ~rollout.terminated * next_values - values
    decay = gamma * gae_lambda * ~rollout.ended
    advantages, advantage = np.empty_like(td_errors), np.zeros_like(td_errors[0])
    for step in reversed(range(len(td_errors))):
        advantage = advantages[step] = td_errors[step] + decay[step] * advantage
    return advantages


def clipped_loss(log_probs: Any, data: TrainingData, clip_ratio: float) -> Any:
    """Return PPO's clipped surrogate loss; a ratio of densities beyond the clip range has no gradient."""
    ratio = nnp.exp(log_probs - data.log_probs)
    clipped = nnp.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)
    return -nnp.mean(nnp.minimum(ratio * data.advantages, clipped * data.advantages))


class PPO:
    """PPO's networks, settings and optimizer; an object does not change during training.

    A subclass for other actions has other networks, and its own `distribution` with what depends on it.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    device : str or int
        Device of parameters and training.
    """

    def __init__(self, settings: Any, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        self.settings, self.device = settings, device
        trunk = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, activation="tanh", device=device)
        self.actor, self.critic = self.make_networks(trunk, act_dim)
        self.make_optimizer = optim.adam

    def make_networks(self, trunk: npnets.Net, act_dim: int) -> tuple[Any, Any]:
        """Return an actor and a critic on the same trunk."""
        high = np.asarray(self.settings.max_action)
        actor = npnets.ActorProb(trunk, act_dim, unbounded=True, low=-high, high=high, device=self.device)
        return actor, npnets.Critic(trunk, device=self.device)

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the trunk's are stored with the actor's, and the critic's have only its head."""
        params = {"actor": self.actor.init(rng), "critic": {"last": self.critic.init(rng)["last"]}}
        return State(params, self.make_optimizer(self.settings.learning_rate).init(params))

    def learn(self, state: State, data: TrainingData, learning_rate: float) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for actor, critic and their shared trunk.

        An optimizer is a pair of pure functions, so one with another learning rate can continue from the same state.

        Returns
        -------
        State
        dict
            Losses of the actor and of the critic, and the entropy.
        """
        data = TrainingData(*(to_device(column, self.device) for column in data))
        (_, parts), grads = npnets.value_and_grad(self.loss, has_aux=True)(state.params, data)
        grads, _ = optim.clip_by_global_norm(grads, self.settings.clip_norm)
        optimizer = self.make_optimizer(learning_rate)
        return State(*optimizer.update(params=state.params, grads=grads, state=state.optimizer)), parts

    def loss(self, params: Any, data: TrainingData) -> tuple[Any, dict[str, Any]]:
        """Return the total loss and its parts."""
        distribution = self.distribution(params, data.observations)
        actor = clipped_loss(self.log_prob(distribution, data.draws), data, self.settings.clip_ratio)
        critic = nnp.mean((self.values(params, data.observations) - data.returns) ** 2)
        entropy = nnp.mean(self.entropy(distribution))
        total = actor + self.settings.value_weight * critic - self.settings.entropy_weight * entropy
        return total, {"actor": actor, "critic": critic, "entropy": entropy}

    def training_data(self, params: dict[str, Any], rollout: Rollout) -> TrainingData:
        """Compute the training data of a rollout; advantages are standardized to mean 0 and standard deviation 1."""
        values, next_values = (
            to_numpy(self.values(params, obs.reshape(-1, obs.shape[-1]))).reshape(rollout.rewards.shape)
            for obs in (rollout.observations, rollout.next_observations)
        )
        settings, played = self.settings, rollout.played
        rollout = rollout._replace(rewards=settings.reward_scale * rollout.rewards)
        advantages = generalized_advantages(rollout, values, next_values, settings.gamma, settings.gae_lambda)[played]
        scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        seen = rollout.observations[played], rollout.draws[played], rollout.log_probs[played]
        return TrainingData(*seen, scaled, advantages + values[played])

    def draw(self, params: dict[str, Any], rng: np.random.Generator) -> Draw:
        """Return a function from observations to actions, the draws before squashing, and their log-densities."""

        def draw(observations: Array) -> tuple[Array, Array, Array]:
            action, draw, log_prob = self.sample(self.distribution(params, observations), rng)
            return to_numpy(action), to_numpy(draw), to_numpy(log_prob)

        return draw

    def act(self, params: dict[str, Any], observations: Array) -> Array:
        """Return deterministic actions, a NumPy array `(n, act_dim)`, for observations `(n, obs_dim)`."""
        return to_numpy(self.distribution(params, observations).mode())

    def distribution(self, params: Any, observations: Array) -> Any:
        """Return the actor's distribution over actions."""
        return SquashedGaussian.from_actor(self.actor, params["actor"], observations)[0]

    def sample(self, distribution: Any, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return actions, the draws before squashing, and their log-densities."""
        action, log_prob, draw = distribution.sample_and_log_prob(rng, with_draw=True)
        return action, draw, log_prob

    def log_prob(self, distribution: Any, draws: Array) -> Any:
        """Return the log-densities `(n,)` of stored draws."""
        return distribution.log_prob(draw=draws)

    def entropy(self, distribution: Any) -> Any:
        """Return the entropies `(n,)` before squashing: those of the squashed distribution have no closed form."""
        return Gaussian(distribution.mu, distribution.sigma).entropy()

    def values(self, params: Any, observations: Array) -> Any:
        """Return the critic's values `(n,)` of observations `(n, obs_dim)`. Its trunk is the actor's."""
        own = {"preprocess": params["actor"]["preprocess"], **params["critic"]}
        return self.critic.forward(own, observations)[:, 0]


def batches(data: TrainingData, size: int, rng: np.random.Generator) -> Iterator[TrainingData]:
    """Yield every step once, in random order, in batches of about `size`."""
    steps = len(data.returns)
    for rows in np.array_split(rng.permutation(steps), max(1, steps // size)):
        yield TrainingData(*(column[rows] for column in data))


def learn_from(
    ppo: PPO, state: State, rollout: Rollout, learning_rate: float, rng: np.random.Generator
) -> tuple[State, dict[str, Array]]:
    """Learn from a rollout, in as many passes over it as the settings say; return the state and the last losses."""
    data = ppo.training_data(state.params, rollout)
    losses: dict[str, Array] = {}
    for _ in range(ppo.settings.epochs):
        for batch in batches(data, ppo.settings.batch_size, rng):
            state, losses = ppo.learn(state, batch, learning_rate)
    return state, losses


def learn_by_rollouts(
    ppo: PPO, make_env: Callable[[], gymnasium.Env], seed: int
) -> Iterator[tuple[int, State, dict[str, Any]]]:
    """Collect a rollout and learn from it, in turn.

    Yields
    ------
    int
        Steps taken in all environments together, from 0 to at most `settings.steps`: every environment takes the same
        number.
    State
        The state after these steps.
    dict
        Losses of the last learning step.
    """
    settings, rng, taken = ppo.settings, np.random.default_rng(seed), 0
    state, number = ppo.init(rng), min(settings.environments, settings.steps)
    environments = Environments(gymnasium.vector.SyncVectorEnv([make_env] * number), seed)
    losses: dict[str, Any] = {}
    yield taken, state, losses
    while (left := (settings.steps - taken) // number) > 0:
        rollout = environments.play(ppo.draw(state.params, rng), min(left, settings.horizon))
        learning_rate = settings.learning_rate * (1 - taken / settings.steps)
        state, losses = learn_from(ppo, state, rollout, learning_rate, rng)
        taken += int(rollout.played.sum())
        yield taken, state, losses
    environments.close()


if __name__ == "__main__":
    sys.exit(main("PPO", PPO, Hyperparameters(), learn_by_rollouts))

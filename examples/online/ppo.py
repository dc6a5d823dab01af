"""PPO: proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347), with a trunk that actor and critic share.

    python examples/online/ppo.py --seed 0 --out runs/ppo

Plays several environments for a while, asks how much better each action was than the critic expected (generalized
advantage estimation, Schulman et al. 2016, arXiv:1506.02438), and makes the better ones likelier, as far as the clipped
ratio of old and new densities lets it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import gymnasium
import numpy as np

import npnets
import npnets.numpy as nnp
from examples.online.online_training import main
from examples.online.rollouts import Array, Environments, Rollout
from npnets import optim
from npnets.backend import to_device, to_numpy
from npnets.distributions import Gaussian


@dataclass(frozen=True)
class Hyperparameters:
    """Every number that the example chooses.

    Attributes
    ----------
    steps
        Steps in the environment, in all of them together.
    environments
        How many are played side by side.
    horizon
        Steps in each before learning from them.
    epochs
        How often each step is learned from.
    batch_size
        Steps per gradient step.
    hidden_sizes
        Hidden layers of the trunk.
    learning_rate
        Adam's at the beginning; it falls evenly to zero.
    clip_norm
        Largest norm of a gradient.
    gamma
        Discount per step.
    gae_lambda
        Share of what comes later in an advantage.
    clip_ratio
        How far from one the ratio of densities still counts.
    value_weight, entropy_weight
        Of the critic's loss and of the distribution's entropy, beside the actor's loss.
    reward_scale
        Rewards are multiplied by it before anything is learned from them.
    max_action
        Bound of every action entry; Pendulum's torque is within [-2, 2] N m.
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
    max_action: float = 2.0


class State(NamedTuple):
    """All that changes while learning: parameters of the actor and of the critic's own part; the optimizer's state."""

    params: dict[str, Any]
    optimizer: Any


class Lesson(NamedTuple):
    """Steps to learn from: `(n, dim)` observations and actions, and `(n,)` what is to be made of them."""

    observations: Array
    actions: Array
    log_probs: Array
    advantages: Array
    returns: Array


def generalized_advantages(
    rollout: Rollout, values: Array, next_values: Array, gamma: float, gae_lambda: float
) -> Array:
    """Return how much better each step was than expected, `(steps, envs)`, by looking ahead within its episode.

    Parameters
    ----------
    rollout : Rollout
    values, next_values : (steps, envs) arrays
        What the critic says of the observations before and after each step. After a terminal state comes nothing;
        where only the time was up, what it says of the last observation stands for all that would have come.
    gamma, gae_lambda : float
    """
    surprises = rollout.rewards + gamma * ~rollout.terminated * next_values - values
    kept = gamma * gae_lambda * ~rollout.ended
    advantages, later = np.empty_like(surprises), np.zeros_like(surprises[0])
    for step in reversed(range(len(surprises))):
        later = advantages[step] = surprises[step] + kept[step] * later
    return advantages


def clipped_loss(log_probs: Any, lesson: Lesson, clip_ratio: float) -> Any:
    """How little likelier the better actions became; a ratio of densities that went too far counts no further."""
    ratio = nnp.exp(log_probs - lesson.log_probs)
    clipped = nnp.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)
    return -nnp.mean(nnp.minimum(ratio * lesson.advantages, clipped * lesson.advantages))


class PPO:
    """PPO with its networks, settings and optimizer; it holds nothing that learning changes.

    Parameters
    ----------
    settings : Hyperparameters
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    device : str or int
        Where parameters are placed and learning happens.
    """

    def __init__(self, settings: Hyperparameters, obs_dim: int, act_dim: int, device: str | int = "cpu") -> None:
        self.settings, self.device = settings, device
        trunk = npnets.Net(obs_dim, hidden_sizes=settings.hidden_sizes, activation="tanh", device=device)
        self.actor = npnets.ActorProb(trunk, act_dim, max_action=settings.max_action, device=device)
        self.critic = npnets.Critic(trunk, device=device)
        self.make_optimizer = optim.adam

    def init(self, rng: np.random.Generator) -> State:
        """Draw parameters; the critic's own are what follows the trunk, which lies with the actor."""
        params = {"actor": self.actor.init(rng), "critic": {"last": self.critic.init(rng)["last"]}}
        return State(params, self.make_optimizer(self.settings.learning_rate).init(params))

    def learn(self, state: State, lesson: Lesson, learning_rate: float) -> tuple[State, dict[str, Array]]:
        """Take one gradient step for actor and critic, and so for their trunk, on some steps that were played.

        An optimizer is two pure functions: one with another learning rate goes on with the state of the one before.

        Returns
        -------
        State
        dict
            Losses of the actor and of the critic, and the entropy.
        """
        lesson = Lesson(*(to_device(column, self.device) for column in lesson))
        (_, parts), grads = npnets.value_and_grad(self.loss, has_aux=True)(state.params, lesson)
        grads, _ = optim.clip_by_global_norm(grads, self.settings.clip_norm)
        optimizer = self.make_optimizer(learning_rate)
        return State(*optimizer.update(params=state.params, grads=grads, state=state.optimizer)), parts

    def loss(self, params: Any, lesson: Lesson) -> tuple[Any, dict[str, Any]]:
        """Return all that is to be made small, in one number, and its parts."""
        distribution = self.distribution(params, lesson.observations)
        actor = clipped_loss(distribution.log_prob(lesson.actions), lesson, self.settings.clip_ratio)
        critic = nnp.mean((self.values(params, lesson.observations) - lesson.returns) ** 2)
        entropy = nnp.mean(distribution.entropy())
        total = actor + self.settings.value_weight * critic - self.settings.entropy_weight * entropy
        return total, {"actor": actor, "critic": critic, "entropy": entropy}

    def lesson(self, params: dict[str, Any], rollout: Rollout) -> Lesson:
        """Make of a rollout what is to be learned from its steps; advantages get a mean of 0 and a deviation of 1."""
        values, next_values = (
            to_numpy(self.values(params, obs.reshape(-1, obs.shape[-1]))).reshape(rollout.rewards.shape)
            for obs in (rollout.observations, rollout.next_observations)
        )
        settings, played = self.settings, rollout.played
        rollout = replace(rollout, rewards=settings.reward_scale * rollout.rewards)
        advantages = generalized_advantages(rollout, values, next_values, settings.gamma, settings.gae_lambda)[played]
        scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        seen = rollout.observations[played], rollout.actions[played], rollout.log_probs[played]
        return Lesson(*seen, scaled, advantages + values[played])

    def draw(self, params: dict[str, Any], rng: np.random.Generator) -> Callable[[Array], tuple[Array, Array]]:
        """Return a function that draws actions for observations, and tells their log-densities."""

        def draw(observations: Array) -> tuple[Array, Array]:
            action, log_prob = self.distribution(params, observations).sample_and_log_prob(rng)
            return to_numpy(action), to_numpy(log_prob)

        return draw

    def act(self, params: dict[str, Any], observations: Array) -> Array:
        """Choose actions, `(n, act_dim)` NumPy array, for observations `(n, obs_dim)`, with no chance in it."""
        return to_numpy(self.distribution(params, observations).mode())

    def distribution(self, params: Any, observations: Array) -> Gaussian:
        """Return the actor's distribution over actions."""
        return Gaussian.from_actor(self.actor, params["actor"], observations)[0]

    def values(self, params: Any, observations: Array) -> Any:
        """Return what the critic says of observations `(n, obs_dim)`: `(n,)`. Its trunk is the actor's."""
        own = {"preprocess": params["actor"]["preprocess"], **params["critic"]}
        return self.critic.forward(own, observations)[:, 0]


def batches(lesson: Lesson, size: int, rng: np.random.Generator) -> Iterator[Lesson]:
    """Yield every step once, in an order that is drawn, in batches of about `size`."""
    steps = len(lesson.returns)
    for rows in np.array_split(rng.permutation(steps), max(1, steps // size)):
        yield Lesson(*(column[rows] for column in lesson))


def learn_by_rollouts(
    ppo: PPO, make_env: Callable[[], gymnasium.Env], seed: int
) -> Iterator[tuple[int, State, dict[str, Any]]]:
    """Play, learn from what was played, and forget it; yield what that led to.

    The steps, in all environments together, go from 0 to `settings.steps`, as far as all can go on together; with them
    come the state and the losses of the last step of learning.
    """
    settings, rng, taken = ppo.settings, np.random.default_rng(seed), 0
    state, number = ppo.init(rng), min(settings.environments, settings.steps)
    environments = Environments(make_env, number, seed)
    losses: dict[str, Any] = {}
    yield taken, state, losses
    while (left := (settings.steps - taken) // number) > 0:
        rollout = environments.play(ppo.draw(state.params, rng), min(left, settings.horizon))
        lesson = ppo.lesson(state.params, rollout)
        learning_rate = settings.learning_rate * (1 - taken / settings.steps)
        for _ in range(settings.epochs):
            for batch in batches(lesson, settings.batch_size, rng):
                state, losses = ppo.learn(state, batch, learning_rate)
        taken += int(rollout.played.sum())
        yield taken, state, losses
    environments.close()


if __name__ == "__main__":
    sys.exit(main("PPO", PPO, Hyperparameters(), learn_by_rollouts))

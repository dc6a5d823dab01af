"""The training loop of DQN: play in parallel environments, store n-step transitions, learn from batches of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np

from examples.discrete.learning_state import State
from examples.discrete.rollouts import Array, Environments, Rollout
from npnets import data


class Batch(NamedTuple):
    """Transitions of several steps.

    Attributes
    ----------
    observations, actions, returns
        `(batch, obs_dim)`, `(batch,)` and `(batch,)`: the first step, and the discounted sum of the rewards.
    following, discounts
        `(batch, obs_dim)` and `(batch,)`: the observation after the last reward, and the factor of its value.
    """

    observations: Array
    actions: Array
    returns: Array
    following: Array
    discounts: Array


class Agent(Protocol):
    """The interface of an algorithm; its settings are those of `quantile_dqn.Hyperparameters`."""

    settings: Any

    def init(self, rng: np.random.Generator) -> State:
        """Return the state before the first step."""
        ...

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
        """Take one step of learning."""
        ...

    def explore(self, params: dict[str, Any], observations: Array, epsilon: float, rng: np.random.Generator) -> Array:
        """Return actions for observations, each of them random with probability `epsilon`."""
        ...


def learn_by_replay(
    agent: Agent, make_env: Callable[[], gymnasium.Env], seed: int
) -> Iterator[tuple[int, State, dict[str, Any]]]:
    """Play a rollout, store its transitions, and take some learning steps, in turn.

    Yields
    ------
    int
        Steps taken in all environments together, from 0 to at most `settings.steps`.
    State
        The state after these steps.
    dict
        Losses of the last learning step, if there was one.
    """
    settings, rng, taken = agent.settings, np.random.default_rng(seed), 0
    state, number = agent.init(rng), min(settings.environments, settings.steps)
    envs: Any = gymnasium.vector.SyncVectorEnv([make_env] * number)
    environments, losses = Environments(envs, seed), dict[str, Any]()
    buffer = Buffer(settings.capacity)
    yield taken, state, losses
    while (left := (settings.steps - taken) // number) > 0:
        choose = functools.partial(agent.explore, state.params, epsilon=exploration(settings, taken), rng=rng)
        rollout = environments.play(choose, min(left, settings.horizon))
        buffer.add(rollout, settings.gamma, settings.n_steps)
        taken += int(rollout.played.sum())
        for _ in range(settings.updates if taken >= settings.warmup else 0):
            state, losses = agent.learn(state, buffer.sample(rng, settings.batch_size), rng)
        yield taken, state, losses
    environments.close()


def exploration(settings: Any, taken: int) -> float:
    """Return the probability of a random action: it falls linearly from 1 to `epsilon` in `exploration_steps`."""
    return max(settings.epsilon, 1 - (1 - settings.epsilon) * taken / settings.exploration_steps)


class Buffer:
    """The last transitions of several steps, up to a capacity.

    Parameters
    ----------
    capacity : int
    """

    def __init__(self, capacity: int) -> None:
        self._transitions, self._discounts = data.ReplayBuffer(capacity), np.zeros(capacity, np.float32)

    def add(self, rollout: Rollout, gamma: float, n: int) -> None:
        """Add a transition of up to `n` rewards for every step."""
        played, (returns, following, discounts) = rollout.played, n_step_returns(rollout, gamma, n)
        seen, actions, discounts = rollout.observations[played], rollout.actions[played], discounts[played]
        rows = self._transitions.add(seen, actions, returns[played], following[played], discounts == 0)
        self._discounts[rows] = discounts

    def sample(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw transitions uniformly with replacement."""
        rows = rng.integers(len(self._transitions), size=size)
        seen, actions, returns, following, _ = self._transitions.take(rows)
        return Batch(seen, actions, returns, following, self._discounts[rows])


def n_step_returns(rollout: Rollout, gamma: float, n: int) -> tuple[Array, Array, Array]:
    """Return what follows each step within `n` steps, or fewer at the end of its episode or of the rollout.

    Returns
    -------
    returns : (steps, envs) array
        Discounted sums of rewards.
    following : (steps, envs, obs_dim) array
        Observations after the last of these rewards.
    discounts : (steps, envs) array
        Factors of the value of these observations: powers of gamma, and 0 for a terminal state. A time limit is none.
    """
    steps, going = len(rollout.rewards), np.ones_like(rollout.played)
    returns, discounts = np.zeros_like(rollout.rewards), np.zeros_like(rollout.rewards)
    following = np.zeros_like(rollout.next_observations)
    for later in range(min(n, steps)):
        first, last = slice(steps - later), slice(later, None)
        still = going[first]
        returns[first] += still * gamma**later * rollout.rewards[last]
        discounts[first] = np.where(still, gamma ** (later + 1) * ~rollout.terminated[last], discounts[first])
        following[first] = np.where(still[..., None], rollout.next_observations[last], following[first])
        going[first] = still & ~rollout.ended[last]
    return returns, following, discounts

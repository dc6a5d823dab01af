"""The training loop of DQN: play in parallel environments, store n-step transitions, learn from batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import gymnasium
import numpy as np

from examples.online.replay_buffer import ReplayBuffer
from examples.online.rollouts import Draw, Environments, Rollout
from examples.shared.learning_state import State
from examples.shared.transitions import Array, Batch


class Agent(Protocol):
    """The interface of an algorithm; its settings are those of `quantile_dqn.Hyperparameters`."""

    settings: Any

    def init(self, rng: np.random.Generator) -> State:
        """Return the state before the first step."""
        ...

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
        """Take one step of learning from observations, actions, returns, later observations and discounts."""
        ...

    def draw(self, params: dict[str, Any], epsilon: float, rng: np.random.Generator) -> Draw:
        """Return a function from observations to actions, each of them random with probability `epsilon`."""
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
    (obs_dim,) = envs.single_observation_space.shape
    buffer = ReplayBuffer(settings.capacity, obs_dim, 1)
    yield taken, state, losses
    while (left := (settings.steps - taken) // number) > 0:
        draw = agent.draw(state.params, exploration(settings, taken), rng)
        rollout = environments.play(draw, min(left, settings.horizon))
        store(buffer, rollout, settings.gamma, settings.n_steps)
        taken += int(rollout.played.sum())
        for _ in range(settings.updates if taken >= settings.warmup else 0):
            state, losses = agent.learn(state, buffer.batch(rng, settings.batch_size), rng)
        yield taken, state, losses
    environments.close()


def exploration(settings: Any, taken: int) -> float:
    """Return the probability of a random action: it falls linearly from 1 to `epsilon` in `exploration_steps`."""
    return max(settings.epsilon, 1 - (1 - settings.epsilon) * taken / settings.exploration_steps)


def store(buffer: ReplayBuffer, rollout: Rollout, gamma: float, n: int) -> None:
    """Add a transition of up to `n` rewards for every step, with its discount in the place of `terminal`."""
    returns, following, discounts = n_step_returns(rollout, gamma, n)
    for step in zip(*rollout.played.nonzero(), strict=True):
        seen, action, reward = rollout.observations[step], rollout.draws[step], float(returns[step])
        buffer.add(seen, action, reward, following[step], float(discounts[step]))


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

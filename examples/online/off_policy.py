"""The training loop that TD3, SAC and REDQ share: act for one step, store the transition, learn from a replay buffer.

An `Agent` implements the algorithm: exploration and learning steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import gymnasium
import numpy as np

from examples.online.replay_buffer import ReplayBuffer
from examples.shared.learning_state import State
from examples.shared.transitions import Array, Batch

Losses = dict[str, Any]


class Agent(Protocol):
    """The interface of an algorithm; its settings have `steps`, `warmup`, `updates_per_step` and `batch_size`."""

    settings: Any

    def init(self, rng: np.random.Generator) -> State:
        """Return the state before the first step."""
        ...

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, Losses]:
        """Take one step of learning."""
        ...

    def explore(self, params: dict[str, Any], observations: Array, rng: np.random.Generator) -> Array:
        """Return exploratory actions, a row for each observation."""
        ...


def learn_while_acting(agent: Agent, make_env: Any, seed: int) -> Iterator[tuple[int, State, Losses]]:
    """Act in an environment, and after every step learn from a batch of all steps so far.

    Parameters
    ----------
    agent : Agent
    make_env : callable
        Returns a Gymnasium environment whose observation and action spaces are boxes with one axis.
    seed : int
        Seed of all random numbers, of the agent and of the environment.

    Yields
    ------
    int
        Steps taken in the environment: 0, 1, ..., `settings.steps`.
    State
        The state after these steps.
    dict
        Losses of the last learning step, if there was one.
    """
    env, settings, rng = make_env(), agent.settings, np.random.default_rng(seed)
    state, losses = agent.init(rng), Losses()
    buffer = ReplayBuffer(settings.steps, *env.observation_space.shape, *env.action_space.shape)
    yield 0, state, losses
    observation, _ = env.reset(seed=seed)
    for step in range(settings.steps):
        action = _action(agent, state, env.action_space, observation, rng, at_random=step < settings.warmup)
        observation = _step(env, observation, action, buffer)
        for _ in range(settings.updates_per_step if step >= settings.warmup else 0):
            state, losses = agent.learn(state, buffer.batch(rng, settings.batch_size), rng)
        yield step + 1, state, losses
    env.close()


def _action(
    agent: Agent, state: State, space: gymnasium.spaces.Box, obs: Array, rng: np.random.Generator, at_random: bool
) -> Array:
    """Return one action, either random or of the agent."""
    if at_random:
        return rng.uniform(space.low, space.high).astype(np.float32)
    return agent.explore(state.params, obs[None], rng)[0]


def _step(env: gymnasium.Env, observation: Array, action: Array, buffer: ReplayBuffer) -> Array:
    """Take an action and store the transition; return the next observation, of a new episode if one has ended."""
    following, reward, terminated, truncated, _ = env.step(action)
    buffer.add(observation, action, float(reward), following, terminated)
    return env.reset()[0] if terminated or truncated else following

"""Learning from everything that was seen so far, a step in the environment at a time: what TD3, SAC and REDQ share.

Owns the order of acting, remembering and learning. Knows no algorithm: an `Agent` explores and learns.
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
    """What an algorithm must have; its settings have `steps`, `warmup`, `updates_per_step` and `batch_size`."""

    settings: Any

    def init(self, rng: np.random.Generator) -> State:
        """Return the state before the first step."""
        ...

    def learn(self, state: State, batch: Batch, rng: np.random.Generator) -> tuple[State, Losses]:
        """Take one step of learning."""
        ...

    def explore(self, params: dict[str, Any], observations: Array, rng: np.random.Generator) -> Array:
        """Choose actions to learn from, a row for each observation."""
        ...


def learn_while_acting(agent: Agent, make_env: Any, seed: int) -> Iterator[tuple[int, State, Losses]]:
    """Act in an environment, and learn after every step of it from a batch of all steps so far.

    Parameters
    ----------
    agent : Agent
    make_env : callable
        Makes a Gymnasium environment with boxes of one axis as observations and actions.
    seed : int
        Of everything that is drawn, by the agent and by the environment.

    Yields
    ------
    int
        Steps taken in the environment: 0, 1, ..., `settings.steps`.
    State
        What they led to.
    dict
        Losses of the last step of learning, if there was one.
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
    """Return one action: a random one, or one that the agent chooses."""
    if at_random:
        return rng.uniform(space.low, space.high).astype(np.float32)
    return agent.explore(state.params, obs[None], rng)[0]


def _step(env: gymnasium.Env, observation: Array, action: Array, buffer: ReplayBuffer) -> Array:
    """Take an action and remember what came of it; return what is seen next, in a new episode if one has ended."""
    following, reward, terminated, truncated, _ = env.step(action)
    buffer.add(observation, action, float(reward), following, terminated)
    return env.reset()[0] if terminated or truncated else following

"""Rollouts: a number of steps in several parallel environments with discrete actions.

In Gymnasium's vector environments, the step after the end of an episode only resets the environment. `played` marks the
real steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Choose = Callable[[Array], Array]


class Rollout(NamedTuple):
    """Steps in parallel environments; the first axes of every array are `(steps, envs)`.

    Attributes
    ----------
    observations, next_observations
        `(steps, envs, obs_dim)` float32: observations before and after the step.
    actions
        `(steps, envs)` integers.
    rewards
        `(steps, envs)` float32.
    terminated
        `(steps, envs)` bool: the step led to a terminal state.
    ended
        `(steps, envs)` bool: the step was the last of its episode, by a terminal state or a time limit.
    played
        `(steps, envs)` bool: false where the step only reset the environment, and must not be learned from.
    """

    observations: Array
    actions: Array
    rewards: Array
    next_observations: Array
    terminated: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    played: NDArray[np.bool_]


class Environments:
    """Parallel environments; an unfinished episode continues in the next rollout.

    Parameters
    ----------
    envs : gymnasium.vector.VectorEnv
        Environments whose observations are vectors.
    seed : int
        Environment `i` starts with `reset(seed=seed + i)`.
    """

    def __init__(self, envs: Any, seed: int) -> None:
        self._envs = envs
        self._observations = self._envs.reset(seed=seed)[0].astype(np.float32)
        self._ended = np.zeros(envs.num_envs, np.bool_)

    def play(self, choose: Choose, steps: int) -> Rollout:
        """Take some steps in every environment.

        Parameters
        ----------
        choose : callable
            From observations `(envs, obs_dim)` to actions `(envs,)`.
        steps : int

        Returns
        -------
        Rollout
        """
        columns = zip(*(self._step(choose) for _ in range(steps)), strict=True)
        return Rollout(*(np.stack(column) for column in columns))

    def close(self) -> None:
        """Close all environments."""
        self._envs.close()

    def _step(self, choose: Choose) -> tuple[Any, ...]:
        """Take one step in every environment; return a row of each array of a `Rollout`."""
        observations, played, actions = self._observations, ~self._ended, choose(self._observations)
        following, rewards, terminated, truncated, _ = self._envs.step(actions)
        following, rewards = following.astype(np.float32), rewards.astype(np.float32)
        self._observations, self._ended = following, terminated | truncated
        return observations, actions, rewards, following, terminated, self._ended, played

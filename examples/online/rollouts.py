"""What happens in several environments that are played side by side for a while, step after step.

Owns what Gymnasium's vector environments do where an episode ends: the step after it is none, for it only begins the
next episode. `played` tells which steps are real. Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Draw = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Rollout:
    """A while in several environments; every array begins with `(steps, envs)`.

    Attributes
    ----------
    observations, next_observations
        `(steps, envs, obs_dim)` float32: what was seen before and after the step.
    actions
        `(steps, envs, act_dim)` float32, as drawn.
    log_probs, rewards
        `(steps, envs)` float32.
    terminated
        `(steps, envs)` bool: the step led to a terminal state.
    ended
        `(steps, envs)` bool: it was the last of its episode, because it led to a terminal state or its time was up.
    played
        `(steps, envs)` bool: false where the step only began an episode, and nothing is to be learned from it.
    """

    observations: Array
    actions: Array
    log_probs: Array
    rewards: Array
    next_observations: Array
    terminated: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    played: NDArray[np.bool_]


class Environments:
    """Environments side by side; an episode that is not over goes on in the next rollout.

    Parameters
    ----------
    make_env : callable
        Makes one of them, with boxes of one axis as observations and actions.
    number : int
        How many.
    seed : int
        Environment `i` begins with `reset(seed=seed + i)`.
    """

    def __init__(self, make_env: Callable[[], gymnasium.Env], number: int, seed: int) -> None:
        self._envs = gymnasium.vector.SyncVectorEnv([make_env] * number)
        self._bounds = self._envs.single_action_space.low, self._envs.single_action_space.high  # type: ignore[attr-defined]
        self._observations, _ = self._envs.reset(seed=seed)
        self._ended = np.zeros(number, np.bool_)

    def play(self, draw: Draw, steps: int) -> Rollout:
        """Play on for some steps.

        Parameters
        ----------
        draw : callable
            From observations `(envs, obs_dim)` to actions `(envs, act_dim)` and their log-densities `(envs,)`. What
            lies beyond the bounds of the action space is clipped on its way into the environment.
        steps : int

        Returns
        -------
        Rollout
        """
        columns = zip(*(self._step(draw) for _ in range(steps)), strict=True)
        return Rollout(*(np.stack(column) for column in columns))

    def close(self) -> None:
        """End with all of them."""
        self._envs.close()

    def _step(self, draw: Draw) -> tuple[Any, ...]:
        """Take one step in every environment; return a row of each array of a `Rollout`."""
        observations, played = self._observations, ~self._ended
        actions, log_probs = draw(observations)
        following, rewards, terminated, truncated, _ = self._envs.step(np.clip(actions, *self._bounds))
        self._observations, self._ended = following, terminated | truncated
        rewards = rewards.astype(np.float32)
        return observations, actions, log_probs, rewards, following, terminated, self._ended, played

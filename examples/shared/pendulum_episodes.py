"""Parallel episodes of Pendulum-v1, with the true state at each step.

A policy is a function from the observations of one time step, a row for each pendulum, to torques `(pendulums, 1)` in
N m; it may have a memory of earlier calls. The angle is 0 upright and grows anticlockwise (rad); velocity is its rate
(rad/s).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from examples.shared.pendulum_evaluation import STEPS, Episode, Policy, torques_of

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Episodes:
    """Complete episodes; row `t` of each has the state before step `t`, and its torque and reward.

    Attributes
    ----------
    observations
        `(episodes, 200, dim)` float32: observations of the policy.
    angle, velocity
        `(episodes, 200)` float64: the true state, observed or not; the angle within [-pi, pi].
    torque
        `(episodes, 200)` float64, as the policy returned it; the pendulum is given it within [-2, 2].
    reward
        `(episodes, 200)` float64.
    """

    observations: Array
    angle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torque: NDArray[np.float64]
    reward: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Undiscounted returns `(episodes,)`."""
        return self.reward.sum(axis=1)

    def episode(self, index: int) -> Episode:
        """Return one of the episodes, for a figure."""
        return Episode(**{field.name: getattr(self, field.name)[index] for field in fields(Episode)})


def play(policy: Policy, episodes: int, seed: int, wrappers: tuple[Callable[[Any], Any], ...] = ()) -> Episodes:
    """Run episodes of Pendulum-v1 in parallel.

    Parameters
    ----------
    policy
        Called once per time step with observations `(episodes, dim)`; returns `(episodes, 1)`.
    episodes
        Number of episodes, at least one.
    seed
        Episode `i` starts with `reset(seed=seed + i)`: equal seeds give equal initial states.
    wrappers
        Wrappers of each environment, which hide its velocity for example.
    """
    envs = gymnasium.vector.SyncVectorEnv([lambda: _pendulum(wrappers)] * episodes)
    observations, _ = envs.reset(seed=seed)
    rows = []
    for _ in range(STEPS):
        angle, velocity = np.stack([env.unwrapped.state for env in envs.envs], axis=1)  # type: ignore[attr-defined]
        torques = torques_of(policy, observations)
        following, reward, *_ = envs.step(torques)
        rows.append((observations, within_a_turn(angle), velocity, torques[:, 0].astype(np.float64), reward))
        observations = following
    envs.close()
    return Episodes(*(np.stack(column, axis=1) for column in zip(*rows, strict=True)))


def within_a_turn(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same angle within [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _pendulum(wrappers: tuple[Callable[[Any], Any], ...]) -> Any:
    env = gymnasium.make("Pendulum-v1")
    for wrapper in wrappers:
        env = wrapper(env)
    return env

"""Pendulum-v1 with its velocity hidden, and the playing of many such pendulums side by side.

Owns the wrapper that makes the task need a memory, and the record of what happened. Knows nothing of networks. A
policy is a function from the observations of one time step, a row for each pendulum, to torques `(pendulums, 1)` in
N m; it may remember what it was asked before. The angle is 0 upright and grows anticlockwise (rad); velocity is its
rate (rad/s).
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


class HiddenVelocity(gymnasium.ObservationWrapper):
    """Pendulum-v1 that shows the cosine and the sine of its angle, `(2,)`, and keeps its velocity to itself."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        whole = env.observation_space
        if not isinstance(whole, gymnasium.spaces.Box) or whole.shape != (3,):
            raise ValueError(f"expected Pendulum-v1, which shows cosine, sine and velocity, got {whole}")
        self.observation_space = gymnasium.spaces.Box(whole.low[:2], whole.high[:2], dtype=np.float32)

    def observation(self, observation: Array) -> Array:
        return observation[:2]


@dataclass(frozen=True, eq=False)
class Episodes:
    """Whole episodes from their starts; row `t` of each is what step `t` began with, or did.

    Attributes
    ----------
    observations
        `(episodes, 200, dim)` float32: what the policy saw.
    angle, velocity
        `(episodes, 200)` float64: what was so, seen or not; the angle within [-pi, pi].
    torque
        `(episodes, 200)` float64, as applied.
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
        """One of the episodes, as pictures are drawn of it."""
        return Episode(**{field.name: getattr(self, field.name)[index] for field in fields(Episode)})


def play(policy: Policy, episodes: int, seed: int, wrappers: tuple[Callable[[Any], Any], ...] = ()) -> Episodes:
    """Play episodes of Pendulum-v1, all stepped side by side.

    Parameters
    ----------
    policy
        Called once per time step with observations `(episodes, dim)`; answers `(episodes, 1)`.
    episodes
        How many, at least one.
    seed
        Episode `i` starts from `reset(seed=seed + i)`: two policies with one seed face the same starts.
    wrappers
        Around each pendulum, such as `HiddenVelocity`.
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

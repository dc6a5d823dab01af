"""Evaluates policies in Pendulum-v1, in the same way for every policy of the examples.

A policy is a function from observations ``(n, 3)`` (cosine and sine of the angle, velocity in rad/s) to torques
``(n, 1)`` in N m. The angle is 0 upright and grows anticlockwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

Policy = Callable[[NDArray[np.float32]], Any]

# First seed of the evaluation episodes: the same initial states for every policy.
EVALUATION_SEED = 1000
# Seed of the episode in figures.
SHOWN_SEED = 11
STEPS = 200
SECONDS_PER_STEP = 0.05
MAX_TORQUE = 2.0
# The name of the hand-written controller in tables and figures.
CONTROLLER = "hand-made controller"


@dataclass(frozen=True, eq=False)
class Episode:
    """One recorded episode; every array is ``(200,)`` float64; row ``t`` has the state before step ``t``.

    Attributes
    ----------
    angle
        In rad within [-pi, pi].
    velocity
        In rad/s.
    torque
        As applied, in N m within [-2, 2].
    reward
        Reward of the step.
    """

    angle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torque: NDArray[np.float64]
    reward: NDArray[np.float64]


def evaluate(policy: Policy, episodes: int, seed: int) -> NDArray[np.float64]:
    """Undiscounted returns of ``episodes`` parallel episodes.

    Parameters
    ----------
    policy
        Called once per time step with float32 observations ``(episodes, 3)``; returns ``(episodes, 1)``.
    episodes
        Number of episodes, at least one.
    seed
        Episode ``i`` starts with ``reset(seed=seed + i)``: equal seeds give equal initial states.

    Returns
    -------
    numpy.ndarray
        Returns ``(episodes,)``, float64.
    """
    if episodes < 1:
        raise ValueError(f"expected at least one episode to evaluate, got episodes={episodes}")
    envs = gymnasium.make_vec("Pendulum-v1", num_envs=episodes, vectorization_mode="sync")
    # A vector environment seeds its environment i with seed + i.
    observations, _ = envs.reset(seed=seed)
    returns = np.zeros(episodes)
    for _ in range(STEPS):
        observations, rewards, *_ = envs.step(torques_of(policy, observations))
        returns += rewards
    envs.close()
    return returns


def record(policy: Policy, seed: int) -> Episode:
    """Record the episode that starts with ``reset(seed=seed)``; the policy gets observations ``(1, 3)``."""
    env = gymnasium.make("Pendulum-v1")
    observation, _ = env.reset(seed=seed)
    rows = []
    for _ in range(STEPS):
        torque = torques_of(policy, observation[None])[0]
        cosine, sine, velocity = observation
        observation, reward, *_ = env.step(torque)
        applied = np.clip(torque.item(), -MAX_TORQUE, MAX_TORQUE)
        rows.append((np.arctan2(sine, cosine), velocity, applied, reward))
    env.close()
    return Episode(*np.array(rows, np.float64).T)


def torques_of(policy: Policy, observations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the policy's torques, validated: a wrong shape would broadcast to other environments."""
    torques = np.asarray(policy(observations), np.float32)
    if torques.shape != (len(observations), 1):
        raise ValueError(
            f"expected torques of shape {(len(observations), 1)} from the policy, got {torques.shape}; "
            "a policy returns one row per observation"
        )
    if not np.isfinite(torques).all():
        raise ValueError("expected finite torques from the policy, got NaN or inf; has its training diverged?")
    return torques


def mean_and_standard_error(
    returns: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean over the last axis, the episodes, and its standard error (0 for a single episode)."""
    episodes = returns.shape[-1]
    with np.errstate(invalid="ignore"):  # infinite returns have an error of NaN
        spread = returns.std(axis=-1, ddof=1) if episodes > 1 else np.zeros(returns.shape[:-1])
        return returns.mean(axis=-1), spread / np.sqrt(episodes)

"""Measures policies on the real Pendulum-v1.

Owns the one way in which every policy of the examples is judged, whoever trained it. Knows nothing of networks or of
training. A policy is a function from observations ``(n, 3)`` (cosine and
sine of the angle, velocity in rad/s) to torques ``(n, 1)`` in N m. The angle is 0 upright and grows
anticlockwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

Policy = Callable[[NDArray[np.float32]], Any]

# First of the seeds that evaluation episodes start from: one set of starts for every policy that is compared.
EVALUATION_SEED = 1000
# Of the episode that pictures show of a trained policy.
SHOWN_SEED = 11
STEPS = 200
SECONDS_PER_STEP = 0.05
MAX_TORQUE = 2.0


@dataclass(frozen=True, eq=False)
class Episode:
    """One recorded episode; every array is ``(200,)`` float64, row ``t`` being what step ``t`` began with.

    Attributes
    ----------
    angle
        In rad within [-pi, pi].
    velocity
        In rad/s.
    torque
        As applied, in N m within [-2, 2].
    reward
        Of the step.
    """

    angle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torque: NDArray[np.float64]
    reward: NDArray[np.float64]


def evaluate(policy: Policy, episodes: int, seed: int) -> NDArray[np.float64]:
    """Undiscounted returns of ``episodes`` episodes, all stepped side by side.

    Parameters
    ----------
    policy
        Called once per time step with float32 observations ``(episodes, 3)``; returns ``(episodes, 1)``.
    episodes
        How many, at least one.
    seed
        Episode ``i`` starts from ``reset(seed=seed + i)``: two policies with one seed face the same starts.

    Returns
    -------
    numpy.ndarray
        Returns ``(episodes,)``, float64.
    """
    if episodes < 1:
        raise ValueError(f"expected at least one episode to evaluate, got episodes={episodes}")
    envs = gymnasium.make_vec("Pendulum-v1", num_envs=episodes, vectorization_mode="sync")
    # With one number a vector environment seeds its i-th environment with that number plus i.
    observations, _ = envs.reset(seed=seed)
    returns = np.zeros(episodes)
    for _ in range(STEPS):
        observations, rewards, *_ = envs.step(torques_of(policy, observations))
        returns += rewards
    envs.close()
    return returns


def record(policy: Policy, seed: int) -> Episode:
    """Play and keep the episode that starts from ``reset(seed=seed)``; the policy sees ``(1, 3)``."""
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
    """Return the policy's torques, checked; a wrong shape would broadcast into somebody else's torque."""
    torques = np.asarray(policy(observations), np.float32)
    if torques.shape != (len(observations), 1):
        raise ValueError(
            f"expected torques of shape {(len(observations), 1)} from the policy, got {torques.shape}; "
            "a policy answers one row per observation"
        )
    if not np.isfinite(torques).all():
        raise ValueError("expected finite torques from the policy, got NaN or inf; has its training diverged?")
    return torques


def mean_and_standard_error(
    returns: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean over the last axis, the episodes, and its standard error (0 for a single episode)."""
    episodes = returns.shape[-1]
    with np.errstate(invalid="ignore"):  # of infinite returns the error is NaN
        spread = returns.std(axis=-1, ddof=1) if episodes > 1 else np.zeros(returns.shape[:-1])
        return returns.mean(axis=-1), spread / np.sqrt(episodes)

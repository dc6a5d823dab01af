"""Generalized advantage estimation of recorded episodes (GAE: Schulman et al. 2016, arXiv:1506.02438).

The value function is a polynomial of observation and time, fitted to the returns of the same episodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from examples.shared.pendulum_episodes import Array, Episodes

DISCOUNT, SMOOTHING = 0.97, 0.95
MAX_VELOCITY = 8.0


def advantages_of(played: Episodes) -> Array:
    """Advantages `(episodes * steps,)`, of mean 0 and standard deviation 1."""
    features = features_of(played.observations)
    goals = discounted_sums(played.reward, DISCOUNT)
    weights = np.linalg.lstsq(features.reshape(-1, features.shape[-1]), goals.reshape(-1), rcond=None)[0]
    values = features @ weights
    following = np.concatenate([values[:, 1:], values[:, -1:]], axis=1)  # a time limit is not a terminal state
    td_errors = played.reward + DISCOUNT * following - values
    advantages = discounted_sums(td_errors, DISCOUNT * SMOOTHING).reshape(-1)
    return ((advantages - advantages.mean()) / advantages.std()).astype(np.float32)


def discounted_sums(rewards: NDArray[np.float64], discount: float) -> NDArray[np.float64]:
    """Return the discounted sum of the rewards from each step on, `(episodes, steps)`."""
    sums = np.zeros_like(rewards)
    ahead = np.zeros(len(rewards))
    for step in reversed(range(rewards.shape[1])):
        sums[:, step] = ahead = rewards[:, step] + discount * ahead
    return sums


def features_of(observations: Array) -> NDArray[np.float64]:
    """Products of up to three of cosine, sine and velocity, and powers of time: `(episodes, steps, features)`."""
    scaled = observations.astype(np.float64) / (1.0, 1.0, MAX_VELOCITY)
    one = np.ones_like(scaled[..., :1])
    linear = np.concatenate([one, scaled], axis=-1)
    cubic = np.einsum("...i,...j,...k->...ijk", linear, linear, linear).reshape(*one.shape[:-1], -1)
    time = np.broadcast_to(np.linspace(0, 1, one.shape[1])[:, None], one.shape)
    return np.concatenate([cubic, time, time**2, time**3], axis=-1)

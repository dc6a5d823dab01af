"""Generalized advantage estimation of recorded episodes (GAE: Schulman et al. 2016, arXiv:1506.02438).

The value function is a polynomial of observation and time, fitted to the returns of the same episodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.shared.pendulum_episodes import Array, Episodes
from npnets import data

DISCOUNT, SMOOTHING = 0.97, 0.95
MAX_VELOCITY = 8.0


def advantages_of(played: Episodes) -> Array:
    """Advantages `(episodes * steps,)`, of mean 0 and standard deviation 1."""
    features, rewards = features_of(played.observations), played.reward.T
    ends = np.zeros(rewards.shape, np.bool_)
    ends[-1] = True  # a terminal state to a value function of the time, which sees how many steps are left
    facts: Any = {"terminated": ends, "truncated": np.zeros_like(ends), "gamma": DISCOUNT}
    goals = data.discounted_returns(rewards, **facts).T
    weights = np.linalg.lstsq(features.reshape(-1, features.shape[-1]), goals.reshape(-1), rcond=None)[0]
    values = (features @ weights).T
    following = np.roll(values, -1, axis=0)  # after the last step it is not used
    found = data.generalized_advantages(rewards, values, following, gae_lambda=SMOOTHING, **facts)
    advantages = found.advantages.T.reshape(-1)
    return ((advantages - advantages.mean()) / advantages.std()).astype(np.float32)


def features_of(observations: Array) -> NDArray[np.float64]:
    """Products of up to three of cosine, sine and velocity, and powers of time: `(episodes, steps, features)`."""
    scaled = observations.astype(np.float64) / (1.0, 1.0, MAX_VELOCITY)
    one = np.ones_like(scaled[..., :1])
    linear = np.concatenate([one, scaled], axis=-1)
    cubic = np.einsum("...i,...j,...k->...ijk", linear, linear, linear).reshape(*one.shape[:-1], -1)
    time = np.broadcast_to(np.linspace(0, 1, one.shape[1])[:, None], one.shape)
    return np.concatenate([cubic, time, time**2, time**3], axis=-1)

"""Evaluates policies with discrete actions in an environment of Gymnasium, in the same way for every policy.

A policy is a function from observations `(n, obs_dim)` to the numbers of actions `(n,)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

Policy = Callable[[NDArray[np.float32]], NDArray[np.integer]]


def spaces_of(env_id: str) -> tuple[int, int]:
    """Return the width of an observation and the number of actions, or raise a `ValueError` for other spaces."""
    try:
        env = gymnasium.make(env_id)
    except (gymnasium.error.Error, ImportError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"expected an environment that Gymnasium can make, but got {env_id}: {reason}") from None
    seen, acted = env.observation_space, env.action_space
    env.close()
    if not (isinstance(seen, Box) and len(seen.shape) == 1 and isinstance(acted, Discrete) and acted.start == 0):
        raise ValueError(
            f"expected vectors as observations and discrete actions from 0, but {env_id} has {seen} and {acted}"
        )
    return seen.shape[0], int(acted.n)


def returns_of(env_id: str, policy: Policy, episodes: int, seed: int) -> NDArray[np.float64]:
    """Return the undiscounted returns `(episodes,)` of parallel episodes; equal seeds give equal initial states."""
    # An environment's own vector version, as CartPole has, moves all of them at once.
    mode = "vector_entry_point" if gymnasium.spec(env_id).vector_entry_point else "sync"
    envs: Any = gymnasium.make_vec(env_id, num_envs=episodes, vectorization_mode=mode)
    observations, _ = envs.reset(seed=seed)
    returns, going = np.zeros(episodes), np.ones(episodes, np.bool_)
    while going.any():
        observations, rewards, terminated, truncated, _ = envs.step(policy(observations))
        returns += rewards * going
        going &= ~(terminated | truncated)
    envs.close()
    return returns

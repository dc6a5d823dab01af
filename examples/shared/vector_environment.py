"""Gymnasium environments with vectors as observations and as actions: their sizes and bounds, and returns in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray


class Task(NamedTuple):
    """Widths of an observation and of an action; the bound of each action entry; steps of the longest episode."""

    obs_dim: int
    act_dim: int
    max_action: tuple[float, ...]
    longest_episode: int | None


def task_of(env: str) -> Task:
    """Return the sizes and bounds of an environment, by its id.

    Raises
    ------
    ValueError
        If Gymnasium cannot make it, or its observations or actions are no vectors with symmetric bounds.
    """
    try:
        made = gymnasium.make(env)
    except gymnasium.error.Error as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"expected an environment that Gymnasium can make here, got {env!r}: {reason}") from None
    seen, acted = made.observation_space, made.action_space
    made.close()
    if not (isinstance(seen, Box) and isinstance(acted, Box) and len(seen.shape) == len(acted.shape) == 1):
        raise ValueError(f"expected vectors as observations and as actions, but {env} has {seen} and {acted}")
    if not (np.isfinite(acted.high).all() and (acted.low == -acted.high).all()):
        raise ValueError(f"expected actions within [-bound, bound], but {env} has {acted}")
    longest = made.spec.max_episode_steps if made.spec else None
    return Task(seen.shape[0], acted.shape[0], tuple(acted.high.tolist()), longest)


def returns_in(env: str, policy: Callable[[NDArray[Any]], NDArray[Any]], episodes: int, seed: int) -> NDArray[Any]:
    """Return the undiscounted returns `(episodes,)` of a policy in parallel episodes.

    Parameters
    ----------
    env : str
        The environment's id.
    policy : callable
        From observations `(episodes, obs_dim)` to actions `(episodes, act_dim)`.
    episodes : int
    seed : int
        Episode `i` starts with `reset(seed=seed + i)`: equal seeds give equal initial states.
    """
    envs = gymnasium.make_vec(env, num_envs=episodes, vectorization_mode="sync")
    observations, _ = envs.reset(seed=seed)
    returns, going = np.zeros(episodes), np.ones(episodes, np.bool_)
    while going.any():
        observations, rewards, terminated, truncated, _ = envs.step(policy(observations))
        returns += rewards * going
        going &= ~(terminated | truncated)
    envs.close()
    return returns

"""Episodes of policies in Gymnasium's environments: many at once, with normalized observations, and evaluations."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.wrappers.utils import update_mean_var_count_from_moments
from numpy.typing import NDArray

import npnets
from examples.shared.pendulum_evaluation import EVALUATION_SEED
from npnets import parallel

LARGEST = 5.0
EVALUATION_EPISODES, EPISODES_IN_A_TASK = 30, 5
TIME_LIMIT = 600.0
"""Seconds after which a task has failed."""

Array = NDArray[Any]
Policy = Callable[[Array], Array]
Moments = tuple[Array, Array, float]
"""Mean and variance of observations, each `(obs_dim,)`, and the number of observations."""
NO_MOMENTS: Moments = (np.zeros(1), np.ones(1), 0)
"""Before the first observation; they change nothing."""


def make_environments(env_id: str, number: int) -> Any:
    """Return some environments as one; a line that MuJoCo would print for each of them is hidden.

    Its warnings are about outdated files and about numbers that are not finite, which `play` finds.
    """
    if ".mujoco" in str(gymnasium.spec(env_id).entry_point):
        importlib.import_module("mujoco").set_mju_user_warning(lambda message: None)
    return gymnasium.make_vec(env_id, num_envs=number, vectorization_mode="sync")


class Spaces(NamedTuple):
    """Widths of an observation and of an action, the bound of each action entry, and steps of the longest episode."""

    obs_dim: int
    act_dim: int
    max_action: tuple[float, ...]
    longest_episode: int | None


def spaces_of(env_id: str) -> Spaces:
    """Return an environment's sizes and bounds, or raise a `ValueError` if a policy network could not act there."""
    try:
        envs = make_environments(env_id, 1)
    except (gymnasium.error.Error, ImportError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"expected an environment that Gymnasium can make, but got {env_id}: {reason}") from None
    seen, acted = envs.single_observation_space, envs.single_action_space
    envs.close()
    if not (isinstance(seen, Box) and isinstance(acted, Box) and len(seen.shape) == len(acted.shape) == 1):
        raise ValueError(f"expected vectors as observations and actions, but {env_id} has {seen} and {acted}")
    if not (np.isfinite(acted.high).all() and (acted.low == -acted.high).all()):
        raise ValueError(
            f"expected actions within [-bound, bound], but {env_id} has {acted}; register an environment that makes "
            f'gymnasium.wrappers.RescaleAction(gymnasium.make("{env_id}"), -1.0, 1.0)'
        )
    longest = gymnasium.spec(env_id).max_episode_steps
    return Spaces(seen.shape[0], acted.shape[0], tuple(acted.high.tolist()), longest)


def make_actor(env_id: str, hidden_sizes: Sequence[int]) -> npnets.Actor:
    """Return a policy network for an environment, or raise a `ValueError` if it could not act there."""
    obs_dim, act_dim, max_action, _ = spaces_of(env_id)
    trunk = npnets.Net(obs_dim, hidden_sizes=hidden_sizes, activation="tanh")
    return npnets.Actor(trunk, act_dim, max_action=max_action)


def merged(first: Moments, second: Moments) -> Moments:
    """Return the moments of two sets of observations together."""
    return update_mean_var_count_from_moments(*first, *second)  # type: ignore[no-untyped-call]


def normalized(observations: Array, moments: Moments) -> Array:
    """Return float32 observations in units of their standard deviation, within `[-LARGEST, LARGEST]`."""
    mean, var, _ = moments
    return np.clip((observations - mean) / np.sqrt(var + 1e-8), -LARGEST, LARGEST).astype(np.float32)


def play(env_id: str, policy: Policy, seeds: Sequence[int]) -> tuple[Array, Moments]:
    """Play an episode from each seed, all at once.

    Parameters
    ----------
    env_id : str
    policy : callable
        From observations `(n, obs_dim)` to actions `(n, act_dim)`.
    seeds : sequence of n ints

    Returns
    -------
    returns : (n,) array
        NaN for an episode with a number that is not finite, which ends there.
    moments : tuple
        Of the observations that the policy acted on.
    """
    envs = make_environments(env_id, len(seeds))
    observations, _ = envs.reset(seed=list(seeds))
    returns, going = np.zeros(len(seeds)), np.ones(len(seeds), np.bool_)
    moments = NO_MOMENTS
    while going.any():
        rows = observations[going]
        moments = merged(moments, (rows.mean(0, np.float64), rows.var(0, np.float64), len(rows)))
        observations, rewards, terminated, truncated, _ = envs.step(policy(observations))
        finite = np.isfinite(rewards) & np.isfinite(observations).all(1)
        returns[going] += np.where(finite, rewards, np.nan)[going]
        going &= finite & ~(terminated | truncated)
    envs.close()
    return returns, moments


def evaluate(task: Callable[..., Array], shared: Any, executor: Any) -> Array:
    """Return the returns `(30,)` of a policy, from initial states that are the same for every policy.

    Parameters
    ----------
    task : callable
        `task(seeds, shared=shared)` plays an episode from each seed and returns their returns.
    shared : tree
        The parameters of the policy.
    executor : any
        Of `npnets.parallel`.
    """
    seeds = np.arange(EVALUATION_SEED, EVALUATION_SEED + EVALUATION_EPISODES).reshape(-1, EPISODES_IN_A_TASK)
    options: dict[str, Any] = {"shared": shared, "time_limit": TIME_LIMIT, "allow_nan": True}
    return np.concatenate(parallel.map_population(task, seeds.tolist(), executor, **options))

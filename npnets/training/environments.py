"""Environments of Gymnasium, checked: boxes of observations and actions, finite bounds, numbers that are finite."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

LONGEST_EPISODE = 10_000
"""The time limit of an environment that declares none."""


def make_env(name: str, *, render: bool = False) -> Any:
    """Make an environment whose observations and actions are boxes.

    Parameters
    ----------
    name : str
        A name that Gymnasium knows.
    render : bool
        Whether `env.render()` returns pictures, `(height, width, 3)` of bytes.

    Returns
    -------
    gymnasium.Env
        `step` raises a `ValueError` if a reward or an observation is not finite. An environment without a time limit
        has one of 10,000 steps.

    Raises
    ------
    ValueError
        If there is no such environment, or observations or actions are no box or single numbers, or actions are
        integers, or a bound of the actions is infinite.
    ImportError
        If Gymnasium, or a package that the environment needs, is not installed.
    """
    gymnasium = _gymnasium()
    try:
        env = gymnasium.make(name, render_mode="rgb_array" if render else None, disable_env_checker=True)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ImportError(f"{name} needs a package that is not installed: {_line(error)}") from error
    except (gymnasium.error.Error, ImportError) as error:
        raise ValueError(f"cannot make the environment {name!r}: {_line(error)}") from error
    check_spaces(name, env.observation_space, env.action_space)
    if env.spec is not None and env.spec.max_episode_steps is None:
        env = gymnasium.wrappers.TimeLimit(env, LONGEST_EPISODE)
    return _checked(env, name)


def make_envs(name: str, number: int, wrap: Callable[[Any], Any] = lambda env: env) -> Any:
    """Make several environments that step together in this process, each as `make_env` makes it.

    After the end of an episode, the next step only resets that environment (Gymnasium's `AutoresetMode.NEXT_STEP`).

    Parameters
    ----------
    name : str
    number : int
    wrap : callable, optional
        Puts wrappers on each of them.

    Returns
    -------
    gymnasium.vector.SyncVectorEnv
    """
    return _gymnasium().vector.SyncVectorEnv([lambda: wrap(make_env(name))] * number)


def check_spaces(name: str, observations: Any, actions: Any) -> None:
    """Raise an error unless both spaces are boxes with an axis, and actions are real numbers in finite bounds."""
    spaces = _gymnasium().spaces
    if not isinstance(observations, spaces.Box):
        raise ValueError(
            f"expected an environment whose observations are a Box, but those of {name} are a "
            f"{type(observations).__name__}; gymnasium.wrappers.FlattenObservation makes a Box of a Dict or a Tuple"
        )
    if not isinstance(actions, spaces.Box):
        hint = "; examples/discrete has algorithms for it" if isinstance(actions, spaces.Discrete) else ""
        raise ValueError(
            f"expected an environment whose actions are a Box, but those of {name} are a {type(actions).__name__}{hint}"
        )
    if not (observations.shape and actions.shape):
        raise ValueError(
            f"expected observations and actions with an axis, but those of {name} have shapes {observations.shape} and "
            f"{actions.shape}; a wrapper of your own can make a single number one of shape (1,)"
        )
    if actions.dtype.kind != "f":
        raise ValueError(
            f"expected actions of floating-point numbers, but those of {name} are {actions.dtype}; a wrapper of your "
            "own can round them"
        )
    if not (np.isfinite(actions.low).all() and np.isfinite(actions.high).all()):
        raise ValueError(
            f"expected finite bounds of the actions, but those of {name} are from {actions.low.min()} to "
            f"{actions.high.max()}; gymnasium.wrappers.RescaleAction or a wrapper of your own can give them bounds"
        )


def _checked(env: Any, name: str) -> Any:
    """Return the environment with checks around its `step` and `reset`."""

    class Checked(_gymnasium().Wrapper):  # type: ignore[misc]
        """An environment in which a reward or an observation that is not finite is an error."""

        def step(self, action: Any) -> Any:
            obs, reward, terminated, truncated, info = self.env.step(action)
            if not (math.isfinite(reward) and np.isfinite(obs).all()):
                raise ValueError(_fault(name, action, reward))
            return obs, reward, terminated, truncated, info

        def reset(self, **options: Any) -> Any:
            obs, info = self.env.reset(**options)
            if not np.isfinite(obs).all():
                raise ValueError(f"{name} began an episode with NaN or infinite entries in its observation")
            return obs, info

    return Checked(env)


def _fault(name: str, action: Any, reward: Any) -> str:
    """Return the likely cause of a step whose reward or observation is not finite."""
    if not np.isfinite(action).all():
        return f"the policy took NaN or infinite actions in {name}: its training has diverged"
    if not math.isfinite(reward):
        return f"{name} returned a reward of {reward}, from which nothing can be learned"
    return f"{name} returned an observation with NaN or infinite entries: its simulation has diverged"


def _gymnasium() -> Any:
    try:
        import gymnasium
    except ImportError:
        raise ImportError("environments need Gymnasium: pip install 'npnets[examples]'") from None
    return gymnasium


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def reset(env: Any, rng: np.random.Generator) -> Any:
    """Begin an episode with a seed that a generator draws, and return its first observation.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
    rng : numpy.random.Generator

    Returns
    -------
    array
    """
    return env.reset(seed=int(rng.integers(2**31)))[0]

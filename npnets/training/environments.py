"""Environments of Gymnasium, checked: boxes of observations and actions, finite bounds, numbers that are finite."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnets.description import size
from npnets.files.quoting import one_line
from npnets.training.checked_environment import checked, failure
from npnets.training.vector_member import vector_member

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
        `step` raises a `ValueError` if an action, a reward or an observation is not finite. An environment without a
        time limit has one of 10,000 steps.

    Raises
    ------
    ValueError
        If there is no such environment, or observations or actions are no box or single numbers, or actions are
        integers, or a bound of the actions is infinite.
    RuntimeError
        If the environment's constructor fails.
    ImportError
        If Gymnasium, or a package that the environment needs, is not installed.
    """
    gymnasium = _gymnasium()
    try:
        how = {"render_mode": "rgb_array"} if render else {}  # not all environments know the option
        env = gymnasium.make(name, disable_env_checker=True, **how)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ImportError(f"{name} needs a package that is not installed: {one_line(error)}") from error
    except ModuleNotFoundError as error:
        raise ValueError(
            f"cannot make the environment {name!r}: {one_line(error).rstrip('.')}; Python looks beside the program, "
            "among the installed packages, and in the folders of PYTHONPATH"
        ) from error
    except (gymnasium.error.Error, ImportError) as error:
        raise ValueError(f"cannot make the environment {name!r}: {one_line(error)}") from error
    except Exception as error:  # of any kind: it is of the environment
        raise failure(name, "its constructor", error) from error
    check_spaces(name, *(getattr(env, space, None) for space in ("observation_space", "action_space")))
    if env.spec is not None and env.spec.max_episode_steps is None:
        env = gymnasium.wrappers.TimeLimit(env, LONGEST_EPISODE)
    return checked(env, name)


def make_envs(name: str, number: int, wrap: Callable[[Any], Any] = lambda env: env) -> Any:
    """Make several environments that step together in this process, each as `make_env` makes it.

    After the end of an episode, the next step only resets that environment (Gymnasium's `AutoresetMode.NEXT_STEP`),
    with a seed that follows from the one it was given last.

    Parameters
    ----------
    name : str
    number : int
    wrap : callable, optional
        Puts wrappers on each of them.

    Returns
    -------
    gymnasium.vector.SyncVectorEnv
        Without their `info`: Gymnasium cannot join what differs in form from one environment to another.
    """
    number = size("number", number)
    return _gymnasium().vector.SyncVectorEnv([lambda: vector_member(wrap(make_env(name)))] * number)


def check_spaces(name: str, observations: Any, actions: Any) -> None:
    """Raise an error unless both spaces are boxes with an axis, and actions are real numbers in finite bounds."""
    spaces = _gymnasium().spaces
    if observations is None or actions is None:
        raise ValueError(f"{name} needs an observation_space and an action_space; set both in its __init__")
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
    for shape in (observations.shape, actions.shape):
        if not shape or 0 in shape:
            raise ValueError(
                f"expected observations and actions with an axis and an entry, but those of {name} have shapes "
                f"{observations.shape} and {actions.shape}; a wrapper of your own can make a single number one of "
                "shape (1,)"
            )
    _check_bounds(name, actions)


def _check_bounds(name: str, actions: Any) -> None:
    if actions.dtype.kind != "f":
        raise ValueError(
            f"expected actions of floating-point numbers, but those of {name} are {actions.dtype}; a wrapper of your "
            "own can round them"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        width = actions.high - actions.low
    span = f"those of {name} are from {actions.low.min()} to {actions.high.max()}"
    if not np.isfinite(width).all():
        finite = np.isfinite(actions.low).all() and np.isfinite(actions.high).all()
        more = ", whose difference overflows" if finite else ""
        raise ValueError(
            f"expected finite bounds of the actions, but {span}{more}; "
            "gymnasium.wrappers.RescaleAction or a wrapper of your own can give them bounds"
        )
    if not (width > 0).all():
        raise ValueError(f"expected the lower bound of each entry of an action below the upper one, but {span}")


def _gymnasium() -> Any:
    try:
        import gymnasium
    except ImportError:
        raise ImportError("environments need Gymnasium: pip install 'npnets[examples]'") from None
    return gymnasium


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

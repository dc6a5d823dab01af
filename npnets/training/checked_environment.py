"""An environment whose faults are errors of one line, in the very call in which they come up."""

import math
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from npnets.files.quoting import one_line
from npnets.log import logger


def checked(env: Any, name: str) -> Any:
    """Return an environment with checks around its `step`, `reset` and `close`.

    Parameters
    ----------
    env : gymnasium.Env
        Its observations are a `Box`.
    name : str
        What errors call it.

    Returns
    -------
    gymnasium.Wrapper
        `step` raises a `ValueError` if an action, a reward or an observation is not finite or not of its form; `step`
        and `reset` raise a `RuntimeError` if the environment itself fails, and `close` logs a warning: nothing is lost
        by it. Every observation is an array of its own, also if the environment writes them all into one. Actions are
        converted to the dtype of their space; if that is not float32, they are clipped to the bounds, out of which
        rounding to float32 can lead.
    """
    from gymnasium import Wrapper

    class Checked(Wrapper):
        """An environment in which a number that is not finite is an error."""

        def step(self, action: Any) -> Any:
            taken = _taken(name, action, env.action_space)
            try:
                obs, reward, terminated, truncated, info = self.env.step(taken)
            except Exception as error:  # of any kind: it is of the environment
                remedy = FIVE if "to unpack (expected 5" in str(error) else MEND
                raise failure(name, "step()", error, remedy) from error
            _check_reward(name, reward)
            _check_observation(name, obs, self.observation_space)
            _check_flags(name, terminated, truncated)
            return np.array(obs), reward, terminated, truncated, info

        def reset(self, **options: Any) -> Any:
            try:
                found = self.env.reset(**options)
            except Exception as error:
                raise failure(name, "reset()", error) from error
            if not (isinstance(found, tuple) and len(found) == 2):
                raise ValueError(
                    f"expected an observation and a dict from reset() of {name}, but got a {type(found).__name__}; is "
                    "it an environment of the old Gym?"
                )
            obs, info = found
            _check_observation(name, obs, self.observation_space)
            return np.array(obs), info

        def close(self) -> None:
            try:
                self.env.close()
            except Exception as error:
                logger().warning("%s", failure(name, "close()", error))

    return Checked(env)


MEND = "mend it, or see gymnasium.utils.env_checker.check_env"
FIVE = (
    "does step() return five values: observation, reward, terminated, truncated, info? Those of the old Gym were four"
)


def failure(name: str, where: str, error: BaseException, remedy: str = MEND) -> RuntimeError:
    """Return an error of one line for one that an environment raised: what it was, in which line, and a remedy."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    said = one_line(f"{type(error).__name__}: {error}").removesuffix(":")
    return RuntimeError(f"{name} failed in {where}: {said} ({Path(last.filename).name}, line {last.lineno}); {remedy}")


def _taken(name: str, action: Any, space: Any) -> Any:
    """Return the action that an environment takes in place of one that a policy returned."""
    if not np.isfinite(action).all():
        raise ValueError(
            f"the policy took NaN or infinite actions in {name}: its training has diverged; is a learning rate too "
            "high, or a reward huge?"
        )
    taken = np.asarray(action, space.dtype)
    # A bound may lie below the float32 nearest to it.
    return taken if space.dtype == np.float32 else np.clip(taken, space.low, space.high)


def _check_reward(name: str, reward: Any) -> None:
    try:
        finite = math.isfinite(reward)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"expected a number as the reward of {name}, but got {one_line(repr(reward)):.80}") from None
    if not finite:
        raise ValueError(f"{name} returned a reward of {reward}, from which nothing can be learned")


def _check_observation(name: str, obs: Any, space: Any) -> None:
    if getattr(obs, "shape", None) != space.shape or not _fits(obs.dtype, space.dtype):
        form = f"{obs.dtype} {obs.shape}" if isinstance(obs, np.ndarray) else type(obs).__name__
        raise ValueError(
            f"expected observations of {name} as arrays of {space.dtype} of shape {space.shape}, as its "
            f"observation_space says, but got {form}"
        )
    if not np.isfinite(obs).all():
        raise ValueError(f"{name} returned an observation with NaN or infinite entries: its simulation has diverged")


def _fits(found: np.dtype[Any], expected: np.dtype[Any]) -> bool:
    """Return whether observations are numbers that a batch of the space's dtype takes, rounded where it must."""
    return found == expected or (found.kind in "biuf" and np.can_cast(found, expected, "same_kind"))


def _check_flags(name: str, *flags: Any) -> None:
    for flag in flags:
        if not isinstance(flag, (bool, np.bool_, int, np.integer)):
            raise ValueError(f"expected True or False as terminated and truncated of {name}, but got {flag!r:.80}")

"""Episodes of a policy: their returns, and the pictures of one."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.backend import to_numpy
from npnets.files.atomic_write import replace
from npnets.files.quoting import one_line
from npnets.training.environments import make_env, make_envs

FIRST_SEED = 1_000_000
"""Episode `i` of every evaluation starts with `reset(seed=FIRST_SEED + i)`: all policies meet the same episodes."""


class Evaluation:
    """Episodes in which policies are compared: the same initial states for each.

    Parameters
    ----------
    env : str
        Name of the environment.
    episodes : int
        How many; they run side by side, so that each call of the policy computes an action of every episode.
    wrap : callable, optional
        Puts wrappers on each environment.
    """

    def __init__(self, env: str, episodes: int, wrap: Callable[[Any], Any] = lambda env: env) -> None:
        self._envs = make_envs(env, episodes, wrap)

    def returns(self, policy: Any) -> NDArray[np.float64]:
        """Return the undiscounted return of every episode.

        Parameters
        ----------
        policy : Policy
            `policy.step(observations, state)` returns an action for each observation, and the state of a policy that
            has a memory.

        Returns
        -------
        (episodes,) float64
        """
        observations, _ = self._envs.reset(seed=FIRST_SEED)
        earned, running, state = np.zeros(len(observations)), np.ones(len(observations), np.bool_), None
        while running.any():
            actions, state = policy.step(observations, state)
            if not np.isfinite(actions).all():
                raise ValueError("the policy returned NaN or infinite actions: its training has diverged")
            observations, rewards, terminated, truncated, _ = self._envs.step(to_numpy(actions))
            earned += np.where(running, rewards, 0.0)
            running &= ~(terminated | truncated)
        return earned

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()


def record_episode(
    policy: Any, env: str, path: str | os.PathLike[str], wrap: Callable[[Any], Any] = lambda env: env
) -> int:
    """Record an episode of a policy as an animated GIF, and return the number of its pictures.

    Parameters
    ----------
    policy : Policy
    env : str
        Name of an environment that renders pictures.
    path : path
        Ends in `.gif`. The file is written beside and renamed.
    wrap : callable, optional
        Puts wrappers on the environment.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the environment renders no pictures.
    RuntimeError
        If rendering fails, as without a display or without a package that it needs.
    ImportError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("a GIF needs Pillow: pip install 'npnets[examples]'") from None
    frames, pause = _frames(policy, env, wrap)
    pictures = [Image.fromarray(frame).quantize() for frame in frames]
    replace(
        os.fspath(path),
        lambda file: pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=pause, loop=0),
    )
    return len(pictures)


def _frames(
    policy: Any, name: str, wrap: Callable[[Any], Any], most: int = 300
) -> tuple[list[NDArray[np.uint8]], float]:
    """Return evenly spaced pictures of an episode, and the milliseconds between two.

    Whenever there are more than 300 of them, every second one is dropped: memory never holds those of a long episode.
    """
    env = wrap(make_env(name, render=True))
    obs, _ = env.reset(seed=FIRST_SEED)
    frames, ended, state, step, every = [_picture(env, name)], False, None, 0, 1
    while not ended:
        action, state = policy.step(np.asarray(obs)[None], state)
        obs, _, terminated, truncated, _ = env.step(to_numpy(action)[0])
        ended, step = terminated or truncated, step + 1
        if step % every == 0:
            frames.append(_picture(env, name))
        if len(frames) > most:
            frames, every = frames[::2], 2 * every
    pause = 1000 * every / env.metadata.get("render_fps", 30)
    env.close()
    return frames, pause


def _picture(env: Any, name: str) -> NDArray[np.uint8]:
    try:
        picture = env.render()
    except Exception as error:  # of any kind: each environment draws with another library
        raise RuntimeError(f"{name} cannot be rendered here: {one_line(error)}") from error
    if not (isinstance(picture, np.ndarray) and picture.ndim == 3 and picture.dtype == np.uint8):
        raise ValueError(f"{name} renders no pictures: env.render() returned a {type(picture).__name__}")
    return picture

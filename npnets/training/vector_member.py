"""An environment as a member of one of Gymnasium's vector environments: all its episodes have seeds, and no `info`."""

from typing import Any

import numpy as np


def vector_member(env: Any) -> Any:
    """Return an environment for a vector environment.

    Parameters
    ----------
    env : gymnasium.Env

    Returns
    -------
    gymnasium.Wrapper
        `step` and `reset` return an empty `info`: Gymnasium cannot join what differs in form from one environment to
        another. A `reset` without a seed, as at the end of an episode, takes one that is drawn by a generator with the
        seed before: environments that make a generator of their own in every `reset` would else begin an episode that
        cannot be repeated.
    """
    from gymnasium import Wrapper

    class VectorMember(Wrapper):
        """An environment of several that step together."""

        seeds: np.random.Generator | None = None

        def step(self, action: Any) -> Any:
            return (*self.env.step(action)[:-1], {})

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            if seed is not None:
                self.seeds = np.random.default_rng(seed)
            elif self.seeds is not None:
                seed = int(self.seeds.integers(2**31))
            return self.env.reset(seed=seed, options=options)[0], {}

    return VectorMember(env)

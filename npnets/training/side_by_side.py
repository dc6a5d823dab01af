"""What an environment needs to step beside others, in one of Gymnasium's vector environments."""

from typing import Any

import numpy as np


def prepared(env: Any) -> Any:
    """Return an environment that says nothing beside its steps, and begins every episode with a seed.

    Parameters
    ----------
    env : gymnasium.Env

    Returns
    -------
    gymnasium.Wrapper
        `step` and `reset` return an empty `info`. A `reset` without a seed, as at the end of an episode, takes one that
        is drawn by a generator with the seed before: environments that draw by a generator of their own, and make a new
        one in every `reset`, would begin an episode that cannot be repeated.
    """
    from gymnasium import Wrapper

    class Prepared(Wrapper):
        """An environment beside others."""

        seeds: np.random.Generator | None = None

        def step(self, action: Any) -> Any:
            return (*self.env.step(action)[:-1], {})

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            if seed is not None:
                self.seeds = np.random.default_rng(seed)
            elif self.seeds is not None:
                seed = int(self.seeds.integers(2**31))
            return self.env.reset(seed=seed, options=options)[0], {}

    return Prepared(env)

"""An environment in which every number is known before: observations count, and every third step ends an episode."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class Clock(gymnasium.Env):
    """Observations are the numbers of the episode and of the step; every third step ends an episode.

    Episodes of even number end in a terminal state, the others at a time limit. The reward is the action's second
    entry, and the action must be within its bounds.
    """

    observation_space = gymnasium.spaces.Box(0, np.inf, (2,))
    action_space = gymnasium.spaces.Box(np.float32([-1, -2]), np.float32([1, 2]))

    def __init__(self) -> None:
        self.episode, self.time = -1, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed, options=options)
        self.episode, self.time = self.episode + 1, 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        assert action in self.action_space
        self.time += 1
        last = self.time == 3
        even = self.episode % 2 == 0
        return self._seen(), float(action[1]), last and even, last and not even, {}

    def _seen(self) -> Any:
        return np.array([self.episode, self.time], np.float32)

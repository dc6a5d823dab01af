"""Evolution strategies that take no time: their environment, small settings, and a search in this process."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from examples.parallel.evolution_strategies import EvolutionStrategies, Settings
from npnets import parallel

SMALL = Settings(env="Line-v0", pairs=6, shard=2, episodes=2, hidden_sizes=(4,))


class Line(gymnasium.Env[Any, Any]):
    """A point that an action moves; the first observation has the episode's length, and a large action makes it NaN."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    largest = np.inf

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.left, self.place = int(self.np_random.integers(2, 6)), float(self.np_random.normal())
        return np.array([self.left, self.place]), {}

    def step(self, action: Any) -> Any:
        self.left, self.place = self.left - 1, self.place + float(action[0])
        if abs(action[0]) > self.largest:
            self.place = np.nan
        return np.array([self.left, self.place]), -(self.place**2), self.left == 0, False, {}


def register(patch: pytest.MonkeyPatch, name: str = "Line-v0", env: type[gymnasium.Env[Any, Any]] = Line) -> None:
    """Let Gymnasium make an environment until the end of a test."""
    spec = gymnasium.envs.registration.EnvSpec(name, env, disable_env_checker=True)
    patch.setitem(gymnasium.registry, name, spec)


def search(settings: Settings = SMALL, executor: Any = None, seed: int = 0) -> EvolutionStrategies:
    """Return a search, by default one without other processes."""
    return EvolutionStrategies(settings, seed, executor or parallel.SerialExecutor())


def after(generations: int, searching: EvolutionStrategies) -> Any:
    """Return the state after some generations."""
    state = searching.init()
    for _ in range(generations):
        state = searching.next(state)
    return state

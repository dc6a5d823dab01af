"""Small Gymnasium environments for tests: a point on a line, and what may be wrong with an environment.

`toy/Line-v0` has episodes of 20 steps at most, and ends earlier where the point leaves the line. `toy/Endless-v0`
declares no time limit, and `toy/Forgiving-v0` takes every action. The others have one fault each, which their names
say.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

INFINITY = np.inf


class Line(gymnasium.Env[Any, Any]):
    """A point that is pushed along a line: position and velocity are observed, and the distance from zero costs."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space: Any = spaces.Box(-5, 5, (2,), np.float32)
    action_space: Any = spaces.Box(np.array([-1.0], np.float32), np.array([2.0], np.float32))

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.place = np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin at a random place."""
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.place.copy(), {}

    def step(self, action: Any) -> Any:
        """Push the point."""
        assert self.action_space.contains(action), action
        self.place[1] = np.clip(self.place[1] + 0.2 * action[0] + self.np_random.normal(0, 0.01), -1, 1)
        self.place[0] += 0.2 * self.place[1]
        return self.place.copy(), self.reward(), bool(abs(self.place[0]) > 3), False, {}

    def reward(self) -> float:
        """Return the reward of the present place."""
        return -float(self.place[0] ** 2)

    def render(self) -> Any:
        """Return a picture with one bright column."""
        picture = np.zeros((8, 32, 3), np.uint8)
        picture[:, int(np.clip(16 + 4 * self.place[0], 0, 31))] = 255
        return picture


class NanReward(Line):
    """Its third reward is NaN."""

    steps = 0

    def reward(self) -> float:
        """Return NaN once."""
        self.steps += 1
        return float("nan") if self.steps == 3 else 0.0


class InfiniteObservation(Line):
    """It observes an infinite position after the first step."""

    def step(self, action: Any) -> Any:
        """Return an infinite observation."""
        _, *others = super().step(action)
        return np.array([np.inf, 0], np.float32), *others


class InfiniteBounds(Line):
    """Its actions have no upper bound."""

    action_space = spaces.Box(-1, INFINITY, (1,), np.float32)


class DictObservations(Line):
    """Its observations are a dict."""

    observation_space = spaces.Dict({"place": Line.observation_space})


class DiscreteActions(Line):
    """It has three actions."""

    action_space = spaces.Discrete(3)


class IntegerActions(Line):
    """Its actions are whole numbers."""

    action_space = spaces.Box(-1, 2, (1,), np.int64)


class SingleNumber(Line):
    """Its action is a number without an axis."""

    action_space = spaces.Box(-1, 2, (), np.float32)


class Forgiving(Line):
    """It takes every action, also one that is not finite."""

    def step(self, action: Any) -> Any:
        """Move to wherever the action leads."""
        self.place = self.place + action[0]
        return self.place.copy(), self.reward(), False, False, {}


class Reusing(Line):
    """Its observations are one array, which every step changes."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin at a random place."""
        _, info = super().reset(seed=seed)
        return self.place, info

    def step(self, action: Any) -> Any:
        """Push the point."""
        _, *others = super().step(action)
        return self.place, *others


class Talkative(Line):
    """Its `info` has another form in every copy and step."""

    def step(self, action: Any) -> Any:
        """Push the point, and tell what nobody can join."""
        *found, _ = super().step(action)
        number = int(self.np_random.integers(1, 9))
        return *found, {"contacts": np.zeros(number), "contact": number if number % 2 else None}


class Distant(Line):
    """Its observations are far from zero: in float32 they would all be equal."""

    offset = 2.0**30
    observation_space = spaces.Box(-INFINITY, INFINITY, (2,), np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin at a random place."""
        place, info = super().reset(seed=seed)
        return self.offset + place.astype(np.float64), info

    def step(self, action: Any) -> Any:
        """Push the point."""
        place, *others = super().step(action)
        return self.offset + place.astype(np.float64), *others


class Forgetful(Line):
    """It makes a new generator in every reset, which draws as it likes without a seed."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin at a random place."""
        self.np_random = np.random.default_rng(seed)
        return super().reset()


class Unrendered(Line):
    """It cannot draw itself."""

    def render(self) -> Any:
        """Fail."""
        raise OSError("no display\nat all")


def register() -> None:
    """Register the environments, once."""
    if "toy/Line-v0" in gymnasium.registry:
        return
    gymnasium.register("toy/Endless-v0", Line)
    for kind in (Line, *Line.__subclasses__()):
        gymnasium.register(f"toy/{kind.__name__}-v0", kind, max_episode_steps=20)

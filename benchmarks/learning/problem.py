"""The task of the comparison of learning curves: settings, environment, initial parameters, evaluation.

The algorithms and their settings for Pendulum-v1 are those of `examples/online/sac.py` and `examples/online/td3.py`.
Actions are within [-1, 1], the only interval that Tianshou's SAC supports, and the environment doubles them to torques
in N m. Both libraries' critics therefore get the same numbers, and both temperatures have the same target entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.wrappers import RescaleAction

from examples.online import sac, td3
from examples.shared.pendulum_evaluation import EVALUATION_SEED, MAX_TORQUE, Policy, evaluate
from npnets import training
from npnets.training.settings import chosen

OBS, ACT = 3, 1

EPISODES = 30
"""Number of evaluation episodes, the same ones at every checkpoint of every run."""

EXAMPLES: dict[str, Any] = {"sac": sac, "td3": td3}

Watch = Callable[[int, Policy], None]
"""Is given the steps taken in the environment, from zero on, and the deterministic policy after them."""


def _pendulum(**options: Any) -> gymnasium.Env:
    return RescaleAction(PendulumEnv(**options), np.float32(-1), np.float32(1))


ENV = "PendulumWithinOne-v1"
gymnasium.register(ENV, _pendulum, max_episode_steps=200)


def settings_of(algorithm: str, **changes: Any) -> Any:
    """Return the example's settings for Pendulum-v1, with some changes."""
    example = EXAMPLES[algorithm]
    return chosen(example.Settings, {ENV: example.TUNED["Pendulum-v1"]}, {"env": ENV, **changes})


def make_agent(algorithm: str, **changes: Any) -> Any:
    """Return the example's agent. Both libraries use its `settings` and its initial parameters."""
    env, make = make_env(), getattr(EXAMPLES[algorithm], algorithm.upper())
    return make(settings_of(algorithm, **changes), env.observation_space, env.action_space)


def least_steps(algorithm: str) -> int:
    """Return the smallest number of steps that includes a learning step."""
    return int(settings_of(algorithm).warmup) + 1


def make_env() -> Any:
    """Return Pendulum-v1 with actions within [-1, 1]."""
    return training.make_env(ENV)


def evaluate_policy(policy: Policy) -> np.ndarray:
    """Return the returns of a policy with actions within [-1, 1] in the evaluation episodes."""
    return evaluate(lambda observations: MAX_TORQUE * policy(observations), EPISODES, EVALUATION_SEED)

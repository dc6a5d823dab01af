"""The task of the comparison of learning curves: settings, environment, initial parameters, evaluation.

The algorithms and their settings are those of `examples/online/sac.py` and `examples/online/td3.py`. Actions are within
[-1, 1], the only interval that Tianshou's SAC supports, and the environment doubles them to torques in N m. Both
libraries' critics therefore get the same numbers, and both temperatures have the same target entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import RescaleAction

from examples.online import sac, td3
from examples.shared.pendulum_evaluation import EVALUATION_SEED, MAX_TORQUE, Policy, evaluate

OBS, ACT = 3, 1

EPISODES = 30
"""Number of evaluation episodes, the same ones at every checkpoint of every run."""

AGENTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "sac": (sac.SAC, sac.Hyperparameters(max_action=1.0)),
    "td3": (td3.TD3, td3.Hyperparameters(max_action=1.0)),
}

Learning = Iterator[tuple[int, Policy]]
"""Steps taken in the environment, from zero on, and the deterministic policy after them."""


def make_agent(algorithm: str, steps: int) -> Any:
    """Return the example's agent. Both libraries use its `settings` and its initial parameters."""
    agent, settings = AGENTS[algorithm]
    return agent(replace(settings, steps=steps), OBS, ACT)


def least_steps(algorithm: str) -> int:
    """Return the smallest number of steps that includes a learning step."""
    return AGENTS[algorithm][1].warmup + 1


def make_env() -> gymnasium.Env:
    """Return Pendulum-v1 with actions within [-1, 1]."""
    return RescaleAction(gymnasium.make("Pendulum-v1"), np.float32(-1), np.float32(1))


def evaluate_policy(policy: Policy) -> np.ndarray:
    """Return the returns of a policy with actions within [-1, 1] in the evaluation episodes."""
    return evaluate(lambda observations: MAX_TORQUE * policy(observations), EPISODES, EVALUATION_SEED)

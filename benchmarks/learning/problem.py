"""What both libraries learn in the comparison of learning curves: settings, environment, first parameters, evaluation.

The algorithms and their settings are those of `examples/online/sac.py` and `examples/online/td3.py`. Actions are within
[-1, 1] and the environment doubles them to torques in N m: Tianshou's SAC knows no other interval, and so both critics
see the same numbers, and both temperatures are held against the same entropy. Knows neither PyTorch nor Tianshou.
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
"""That a policy is judged by, the same ones at every checkpoint of every run."""

AGENTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "sac": (sac.SAC, sac.Hyperparameters(max_action=1.0)),
    "td3": (td3.TD3, td3.Hyperparameters(max_action=1.0)),
}

Learning = Iterator[tuple[int, Policy]]
"""Steps taken in the environment, from zero on, and how the policy acts after them, with no chance in it."""


def make_agent(algorithm: str, steps: int) -> Any:
    """Return the example's agent. Its `settings` hold for both libraries, and so do the parameters that it draws."""
    agent, settings = AGENTS[algorithm]
    return agent(replace(settings, steps=steps), OBS, ACT)


def least_steps(algorithm: str) -> int:
    """Return how many steps are enough for one of learning."""
    return AGENTS[algorithm][1].warmup + 1


def make_env() -> gymnasium.Env:
    """Make Pendulum-v1 with actions within [-1, 1]."""
    return RescaleAction(gymnasium.make("Pendulum-v1"), np.float32(-1), np.float32(1))


def judge(policy: Policy) -> np.ndarray:
    """Return what a policy with actions within [-1, 1] earns in each of the evaluation's episodes."""
    return evaluate(lambda observations: MAX_TORQUE * policy(observations), EPISODES, EVALUATION_SEED)

"""Training with RLtools' SAC and TD3 in C++, compiled for the task by its Python package.

The package needs `g++` or `clang++`, and compiles for a minute when a setting is new. The environment is Gymnasium's,
called from C++.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from rltools import SAC, TD3

from benchmarks.learning.problem import make_env
from benchmarks.training.problem import CAPACITY, SEED, agent_of

MODELS = {"sac": SAC, "td3": TD3}

EPSILON, EPSILON_SQRT = 1e-8, 1e-16
"""Adam's numbers against a division by zero; that in its square root must not be zero."""


class Training:
    """A training loop of RLtools, with the settings of npnets' agent."""

    def __init__(self, algorithm: str) -> None:
        settings = agent_of(algorithm).settings
        compiled = MODELS[algorithm](
            _seeded_env, **_common(settings), **_OWN[algorithm](settings), enable_evaluation=False
        )
        self.loop = compiled.State(SEED)

    def advance(self, steps: int) -> None:
        """Take steps in the environment, and learn after each."""
        step = self.loop.step
        for _ in range(steps):
            step()

    def act(self, observations: Any) -> Any:
        """Return deterministic actions; the package computes one at a time."""
        return np.stack([self.loop.action(observation) for observation in observations])


def _seeded_env() -> gymnasium.Env:
    """Return a seeded environment, because RLtools resets without a seed."""
    env = make_env()
    env.reset(seed=SEED)
    return env


def _common(settings: Any) -> dict[str, Any]:
    """Return the arguments of both algorithms: their one learning rate is that of actor, critics and temperature."""
    (width,), layers = set(settings.hidden_sizes), len(settings.hidden_sizes) + 1
    networks = {"ACTOR_HIDDEN_DIM": width, "CRITIC_HIDDEN_DIM": width}
    networks |= {"ACTOR_NUM_LAYERS": layers, "CRITIC_NUM_LAYERS": layers}
    sizes = {"ACTOR_BATCH_SIZE": settings.batch_size, "CRITIC_BATCH_SIZE": settings.batch_size}
    lengths = {"N_WARMUP_STEPS": settings.warmup, "STEP_LIMIT": CAPACITY, "REPLAY_BUFFER_CAP": CAPACITY}
    adam = {"OPTIMIZER_ALPHA": settings.actor_lr, "OPTIMIZER_EPSILON": EPSILON, "OPTIMIZER_EPSILON_SQRT": EPSILON_SQRT}
    decay = {"ACTOR_POLYAK": 1 - settings.tau, "CRITIC_POLYAK": 1 - settings.tau, "GAMMA": settings.gamma}
    return {**networks, **sizes, **lengths, **adam, **decay, "interface_name": "npnets_benchmarks"}


def _sac(settings: Any) -> dict[str, Any]:
    return {"ALPHA": 1.0, "TARGET_ENTROPY": agent_of("sac").target_entropy}


def _td3(settings: Any) -> dict[str, Any]:
    intervals = ("ACTOR_TRAINING_INTERVAL", "CRITIC_TARGET_UPDATE_INTERVAL", "ACTOR_TARGET_UPDATE_INTERVAL")
    return {
        **dict.fromkeys(intervals, settings.policy_delay),
        "TARGET_NEXT_ACTION_NOISE_STD": settings.target_noise,
        "TARGET_NEXT_ACTION_NOISE_CLIP": settings.target_noise_limit,
        "EXPLORATION_NOISE": settings.exploration_noise,
    }


_OWN: dict[str, Callable[[Any], dict[str, Any]]] = {"sac": _sac, "td3": _td3}

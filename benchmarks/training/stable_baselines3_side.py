"""Training with Stable-Baselines3's SAC and TD3 on PyTorch; SBX, which has the same interface, shares the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise

from benchmarks.learning.problem import ACT, make_env
from benchmarks.training.problem import CAPACITY, SEED, agent_of

MODELS = {"sac": SAC, "td3": TD3}


class Training:
    """A model of Stable-Baselines3 or of SBX, with the settings of npnets' agent.

    Parameters
    ----------
    algorithm : str
    models : mapping
        The class of the model of each algorithm.
    """

    def __init__(self, algorithm: str, models: Mapping[str, Callable[..., Any]] = MODELS) -> None:
        agent = agent_of(algorithm)
        self.model = models[algorithm](
            "MlpPolicy", make_env(), **_common(agent.settings), **_OWN[algorithm](agent), seed=SEED, device="cpu"
        )
        self.begun = False

    def advance(self, steps: int) -> None:
        """Take steps in the environment, and learn after each."""
        self.model.learn(steps, reset_num_timesteps=not self.begun, log_interval=None)
        self.begun = True

    def act(self, observations: Any) -> Any:
        """Return deterministic actions."""
        return self.model.predict(observations, deterministic=True)[0]


def _common(settings: Any) -> dict[str, Any]:
    """Return the arguments of both algorithms: their one learning rate is that of actor, critics and temperature."""
    return {
        "learning_rate": settings.actor_lr,
        "buffer_size": CAPACITY,
        "learning_starts": settings.warmup,
        "batch_size": settings.batch_size,
        "tau": settings.tau,
        "gamma": settings.gamma,
        "train_freq": 1,
        "gradient_steps": settings.updates_per_step,
        "policy_kwargs": {"net_arch": list(settings.hidden_sizes), "n_critics": 2},
    }


def _sac(agent: Any) -> dict[str, Any]:
    return {"ent_coef": "auto_1.0", "target_entropy": agent.target_entropy}


def _td3(agent: Any) -> dict[str, Any]:
    settings = agent.settings
    return {
        "policy_delay": settings.policy_delay,
        "target_policy_noise": settings.target_noise,
        "target_noise_clip": settings.target_noise_limit,
        "action_noise": NormalActionNoise(np.zeros(ACT), np.full(ACT, settings.exploration_noise)),
    }


_OWN: dict[str, Callable[[Any], dict[str, Any]]] = {"sac": _sac, "td3": _td3}

"""The side of Stable-Baselines3 in `sac_side_by_side`: its SAC with the settings of npnets' example."""

from __future__ import annotations

import time
from typing import Any

import torch
from stable_baselines3 import SAC

from benchmarks.learning.sac_npnets import ENV, score
from examples.online import sac


class _Acting:
    """A model as a policy that `npnets.training.Evaluation` calls."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def step(self, obs: Any, state: Any = None) -> tuple[Any, Any]:
        """Return deterministic actions."""
        return self.model.predict(obs, deterministic=True)[0], state


def run(seed: int, steps: int, warmup: int) -> dict[str, Any]:
    """Train, and return the seconds of the processor and the return of the trained policy."""
    torch.set_num_threads(1)
    settings = sac.Settings()
    model = SAC(
        "MlpPolicy",
        ENV,
        learning_rate=settings.critic_lr,  # that of the actor too
        buffer_size=settings.buffer_size,
        learning_starts=warmup,
        batch_size=settings.batch_size,
        tau=settings.tau,
        gamma=settings.gamma,
        ent_coef=settings.temperature,
        train_freq=1,
        gradient_steps=settings.updates_per_step,
        policy_kwargs={"net_arch": list(settings.hidden_sizes), "n_critics": 2},
        seed=seed,
        device="cpu",
    )
    began = time.process_time()
    model.learn(steps, log_interval=None)
    return {"seconds": time.process_time() - began, **score(_Acting(model))}

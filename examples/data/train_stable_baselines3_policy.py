"""Writes `stable_baselines3_sac_pendulum.zip`, a policy for Pendulum-v1 that SAC of Stable-Baselines3 trained.

Also writes `stable_baselines3_sac_actions.npz`, the policy's actions for some observations.

    pip install -e '.[training]'
    python examples/data/train_stable_baselines3_policy.py

The archive is what users of Stable-Baselines3 have after `model.save(path)`, as it is: networks, targets, optimizers,
and the settings. This program does not need npnets, and what reads the archive does not need PyTorch.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

FOLDER = Path(__file__).resolve().parent
FILE, ACTIONS = FOLDER / "stable_baselines3_sac_pendulum.zip", FOLDER / "stable_baselines3_sac_actions.npz"
HIDDEN, SEED, STEPS, EPISODES, RECORDED = [64, 64], 0, 8_000, 20, 64


def main() -> None:
    """Train, save, and record actions for observations of the last steps."""
    torch.set_num_threads(1)
    model = SAC(
        "MlpPolicy",
        "Pendulum-v1",
        learning_rate=1e-3,
        buffer_size=STEPS,
        learning_starts=500,
        policy_kwargs={"net_arch": HIDDEN},
        seed=SEED,
        device="cpu",
    )
    model.learn(STEPS)
    model.save(FILE)
    observations = model.replay_buffer.observations[STEPS - RECORDED :, 0]
    actions, _ = model.predict(observations, deterministic=True)
    np.savez(ACTIONS, observations=observations, actions=actions)
    env = Monitor(gymnasium.make("Pendulum-v1"))
    env.reset(seed=SEED)
    mean, deviation = evaluate_policy(model, env, EPISODES)
    print(f"wrote {FILE} and {ACTIONS}; return of {EPISODES} episodes: {mean:.0f} with a deviation of {deviation:.0f}")


if __name__ == "__main__":
    main()

"""Write `minari/`: small data sets by Minari itself, and what it reads from them.

    python tests/support/golden/make_minari.py

Needs `pip install 'minari[hdf5]==0.5.4' pillow`. Pendulum has a time limit and actions in a `Box`; CartPole a terminal
state, an episode whose recording stops, and actions in a `Discrete`. An episode takes 14 kB, whatever is in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gymnasium
import minari
import numpy as np
from minari.data_collector import EpisodeBuffer

FOLDER = Path(__file__).resolve().with_name("minari")


def episode(env: Any, seed: int, steps: int) -> EpisodeBuffer:
    """Play random actions for some steps, or to the end of the episode."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = {"observations": [env.reset(seed=seed)[0]]}
    for _ in range(steps):
        continuous = isinstance(env.action_space, gymnasium.spaces.Box)
        action = rng.uniform(-2, 2, 1).astype(np.float32) if continuous else np.int64(rng.integers(2))
        observation, reward, terminated, truncated, _ = env.step(action)
        rows["observations"].append(observation)
        found = {"actions": action, "rewards": reward, "terminations": terminated, "truncations": truncated}
        for key, value in found.items():
            rows.setdefault(key, []).append(value)
        if terminated or truncated:
            break
    return EpisodeBuffer(seed=seed, **rows)


def write(name: str, env_id: str, limit: int, steps: list[int]) -> dict[str, Any]:
    """Write a data set, and return what Minari reads from it, all episodes joined."""
    env = gymnasium.make(env_id, max_episode_steps=limit)
    buffers = [episode(env, seed, count) for seed, count in enumerate(steps)]
    minari.create_dataset_from_buffers(
        name, buffers, env=env, algorithm_name="random", author="npnets", description=env_id
    )
    episodes = list(minari.load_dataset(name).iterate_episodes())
    columns = {
        "obs": [one.observations[:-1] for one in episodes],
        "action": [one.actions for one in episodes],
        "reward": [one.rewards for one in episodes],
        "next_obs": [one.observations[1:] for one in episodes],
        "terminated": [one.terminations for one in episodes],
        "truncated": [one.truncations for one in episodes],
    }
    return {f"{name}/{key}": np.concatenate(parts) for key, parts in columns.items()}


if __name__ == "__main__":
    os.environ["MINARI_DATASETS_PATH"] = str(FOLDER)
    expected = write("pendulum-v0", "Pendulum-v1", 6, [6])
    expected |= write("cartpole-v0", "CartPole-v1", 50, [50, 5])
    np.savez_compressed(FOLDER / "expected.npz", **expected)

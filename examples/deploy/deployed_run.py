"""What both sides of `deploy_policy.py` do: load a policy, run episodes, and say in one line what was measured.

Imports no library that is measured; `load` does that.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Policy = Callable[[Any], Any]

WARM_UP = 200
OBSERVATIONS = "observations.npy"


def run(name: str, libraries: Sequence[str], load: Callable[[str], Policy]) -> None:
    """Measure one side, whose arguments are the checkpoint, the number of episodes, the first seed and a folder."""
    path, episodes, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    start = time.perf_counter()
    import_or_explain(name, libraries)
    imported = time.perf_counter()
    policy = load_or_explain(load, path)
    loaded = time.perf_counter()
    import numpy as np

    warm = np.zeros(3, np.float32)
    for _ in range(WARM_UP):
        policy(warm)
    resident = resident_bytes()
    returns, seconds, observations = play(policy, episodes, seed)
    compare(name, policy, observations, folder)
    found = {
        "returns": returns,
        "median_us": 1e6 * float(np.median(seconds)),
        "percentile_99_us": 1e6 * float(np.percentile(seconds, 99)),
        "import_ms": 1e3 * (imported - start),
        "load_ms": 1e3 * (loaded - imported),
        "resident_mb": None if resident is None else resident / 1e6,
    }
    print(json.dumps(found))


def import_or_explain(name: str, libraries: Sequence[str]) -> None:
    """Import what a side needs, or end with one line that says what is missing."""
    try:
        for library in libraries:
            importlib.import_module(library)
    except ImportError as error:
        sys.exit(f"{error}: install what the {name} side needs")


def load_or_explain(load: Callable[[str], Policy], path: str) -> Policy:
    """Load a policy, or end with one line that says why it cannot be."""
    try:
        return load(path)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def resident_bytes() -> int | None:
    """Return how much memory the process holds, or `None` on systems other than Linux."""
    facts = Path("/proc/self/statm")
    return int(facts.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if facts.exists() else None


def play(policy: Policy, episodes: int, seed: int) -> tuple[list[float], list[float], Any]:
    """Run episodes one action at a time; return their returns, each action's seconds, and all observations."""
    import gymnasium
    import numpy as np

    env = gymnasium.make("Pendulum-v1")
    returns, seconds, observations = [], [], []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        total, done = 0.0, False
        while not done:
            start = time.perf_counter()
            action = policy(observation)
            seconds.append(time.perf_counter() - start)
            observations.append(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            total, done = total + float(reward), terminated or truncated
        returns.append(total)
    return returns, seconds, np.stack(observations)


def compare(name: str, policy: Policy, observations: Any, folder: Path) -> None:
    """Leave the actions on the observations of the side that ran first, for the two to be compared."""
    import numpy as np

    shared = folder / OBSERVATIONS
    if not shared.exists():
        np.save(shared, observations)
    np.save(folder / f"{name}.npy", np.stack([policy(observation) for observation in np.load(shared)]))

"""Code of both processes of `deploy_policy.py`: load a policy, run episodes, and print the measurements in one line.

This file does not import the measured libraries; `load` does.
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
    """Measure one library; the process's arguments are checkpoint, number of episodes, first seed and folder."""
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
    """Import libraries, or exit with a one-line error that names the missing one."""
    try:
        for library in libraries:
            importlib.import_module(library)
    except ImportError as error:
        sys.exit(f"{error}: install the libraries that {name} needs")


def load_or_explain(load: Callable[[str], Policy], path: str) -> Policy:
    """Load a policy, or exit with a one-line error."""
    try:
        return load(path)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def resident_bytes() -> int | None:
    """Return the resident memory of the process in bytes, or `None` on systems other than Linux."""
    facts = Path("/proc/self/statm")
    return int(facts.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if facts.exists() else None


def play(policy: Policy, episodes: int, seed: int) -> tuple[list[float], list[float], Any]:
    """Run episodes one action at a time; return the returns, the seconds of each action, and all observations."""
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
    """Save the actions on the observations of the library that ran first, for a comparison."""
    import numpy as np

    shared = folder / OBSERVATIONS
    if not shared.exists():
        np.save(shared, observations)
    np.save(folder / f"{name}.npy", np.stack([policy(observation) for observation in np.load(shared)]))

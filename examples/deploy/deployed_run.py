"""Code of all processes of `deploy_policy.py`: load a policy, run episodes, and print the measurements in one line.

This file does not import what is measured; `load` does.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Act = Callable[[Any], Any]

WARM_UP, PASSES = 200, 50
OBSERVATIONS = "observations.npy"


class Loaded(NamedTuple):
    """A policy that acts, from an observation `(3,)` to a torque `(1,)`.

    `act_on_all` acts on observations `(n, 3)` without Python between them, where a policy can.
    """

    act: Act
    act_on_all: Act | None = None


def run(name: str, libraries: Sequence[str], load: Callable[[str], Loaded]) -> None:
    """Measure one way to run a policy; the process's arguments are file, number of episodes, first seed and folder."""
    path, episodes, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    start = time.perf_counter()
    import_or_explain(name, libraries)
    imported = time.perf_counter()
    policy = load_or_explain(load, path)
    loaded = time.perf_counter()
    for _ in range(WARM_UP):
        policy.act([1.0, 0.0, 0.0])
    resident = resident_bytes()
    returns, seconds, observations = play(policy.act, episodes, seed)
    if policy.act_on_all is not None:
        seconds = seconds_of(policy.act_on_all, observations)
    compare(name, policy.act, observations, folder)
    found = {
        "returns": returns,
        "median_us": 1e6 * sorted(seconds)[len(seconds) // 2],
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


def load_or_explain(load: Callable[[str], Loaded], path: str) -> Loaded:
    """Load a policy, or exit with a one-line error."""
    try:
        return load(path)
    except (ValueError, TypeError, OSError) as error:
        sys.exit(str(error))


def resident_bytes() -> int | None:
    """Return the resident memory of the process in bytes, or `None` on systems other than Linux."""
    facts = Path("/proc/self/statm")
    return int(facts.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if facts.exists() else None


def play(act: Act, episodes: int, seed: int) -> tuple[list[float], list[float], Any]:
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
            action = act(observation)
            seconds.append(time.perf_counter() - start)
            observations.append(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            total, done = total + float(reward), terminated or truncated
        returns.append(total)
    return returns, seconds, np.stack(observations)


def seconds_of(act_on_all: Act, observations: Any) -> list[float]:
    """Return the seconds of an action, once for each pass over all observations."""
    seconds = []
    for _ in range(PASSES):
        start = time.perf_counter()
        act_on_all(observations)
        seconds.append((time.perf_counter() - start) / len(observations))
    return seconds


def compare(name: str, act: Act, observations: Any, folder: Path) -> None:
    """Save the actions on the observations of the process that ran first, for a comparison."""
    import numpy as np

    shared = folder / OBSERVATIONS
    if not shared.exists():
        np.save(shared, observations)
    np.save(folder / f"{name}.npy", np.stack([np.asarray(act(observation)) for observation in np.load(shared)]))

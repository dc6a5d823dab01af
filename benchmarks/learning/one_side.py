"""Learn Pendulum-v1 with one library and one algorithm once, and return the learning curve.

What is learned is in `problem.py`, and how, in `npnets_side.py` and `tianshou_side.py`. The clock stands while policies
are judged. `side_by_side.py` calls `run` for each library in turn, in a process of its own.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from benchmarks.learning.problem import judge, make_agent

CHECKPOINTS = 20
"""How often a policy is judged while it learns, beside once before."""


class Stopwatch:
    """Counts seconds while it runs: those that passed, and those of the processor."""

    def __init__(self) -> None:
        self.passed = self.processor = 0.0

    def start(self) -> None:
        """Go on."""
        self.passed -= time.perf_counter()
        self.processor -= time.process_time()

    def stop(self) -> None:
        """Stand until the next start."""
        self.passed += time.perf_counter()
        self.processor += time.process_time()


def follow(learning: Any, steps: int, judge: Callable[[Any], Any], name: str) -> dict[str, list[Any]]:
    """Return the learning curve: steps, seconds of learning until then, and what every episode earned.

    Parameters
    ----------
    learning : iterator
        Of steps taken, from zero on, and how the policy acts then.
    steps : int
        Of the last.
    judge : callable
        From a policy to what it earns in each episode.
    name : str
        To show beside the progress.
    """
    curve: dict[str, list[Any]] = {"steps": [], "seconds": [], "processor_seconds": [], "returns": []}
    watch, every = Stopwatch(), max(1, steps // CHECKPOINTS)
    with tqdm(total=steps, desc=name, unit="step", mininterval=1.0) as progress:
        for step, policy in learning:
            if step % every == 0 or step == steps:
                if step:
                    watch.stop()
                progress.update(step - progress.n)
                found = step, watch.passed, watch.processor, [round(float(earned), 3) for earned in judge(policy)]
                for column, value in zip(curve.values(), found, strict=True):
                    column.append(value)
                watch.start()
    return curve


def run(library: str, algorithm: str, seed: int, steps: int) -> dict[str, Any]:
    """Learn once."""
    side = importlib.import_module(f"benchmarks.learning.{library}_side")
    agent = make_agent(algorithm, steps)
    curve = follow(side.learn(agent, seed), steps, judge, f"{algorithm} on {library}, seed {seed}")
    return {**curve, "settings": asdict(agent.settings)}

"""Learn Pendulum-v1 with one library and one algorithm once, and keep the learning curve.

    python -m benchmarks.learning.one_side npnets td3 --seed 0 --json td3.json

What is learned is in `problem.py`, and how, in `npnets_side.py` and `tianshou_side.py`. The clock stands while policies
are judged. `side_by_side.py` calls this for each library in turn.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.harness.one_side import limit

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


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Learn once."""
    from benchmarks.learning.problem import judge, make_agent

    side = importlib.import_module(f"benchmarks.learning.{options.library}_side")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(options.threads)
    agent = make_agent(options.algorithm, options.steps)
    name = f"{options.algorithm} on {options.library}, seed {options.seed}"
    curve = follow(side.learn(agent, options.seed), options.steps, judge, name)
    who = {key: getattr(options, key) for key in ("library", "algorithm", "seed", "threads")}
    return {**who, **curve, "settings": asdict(agent.settings)}


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Learn Pendulum-v1 with one library once.")
    parser.add_argument("library", choices=("npnets", "tianshou"))
    parser.add_argument("algorithm", choices=("sac", "td3"))
    parser.add_argument("--steps", type=int, default=20_000, help="in the environment; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--json", type=Path, required=True, help="file to write the learning curve to")
    return parser.parse_args()


def main() -> None:
    """Learn as the command line says."""
    options = parse_options()
    limit(options.threads)  # nothing above imports NumPy
    try:
        options.json.write_text(json.dumps(run(options)) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

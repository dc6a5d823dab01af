"""One training on Pendulum-v1 with one library and one algorithm, and its learning curve.

`problem.py` has the task, `npnets_side.py` and `tianshou_side.py` the training. The clock is stopped during
evaluations. `side_by_side.py` calls `run` for each library in turn, in separate processes.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from benchmarks.learning.problem import Policy, Watch, evaluate_policy, settings_of

CHECKPOINTS = 20
"""Number of evaluations during training, in addition to one before it."""


class Stopwatch:
    """Counts wall-clock and processor seconds while it runs."""

    def __init__(self) -> None:
        self.passed = self.processor = 0.0

    def start(self) -> None:
        """Start or continue."""
        self.passed -= time.perf_counter()
        self.processor -= time.process_time()

    def stop(self) -> None:
        """Stop until the next start."""
        self.passed += time.perf_counter()
        self.processor += time.process_time()


def learning_curve(
    learn: Callable[[Watch], None], steps: int, evaluate: Callable[[Policy], Any], name: str
) -> dict[str, list[Any]]:
    """Return the learning curve: steps, seconds of training until then, and the returns of evaluation episodes.

    Parameters
    ----------
    learn : callable
        Trains, and calls `watch(step, policy)` with the number of steps taken, from zero on, and the policy after them.
    steps : int
        Number of steps.
    evaluate : callable
        From a policy to the returns of evaluation episodes.
    name : str
        Name for the progress bar.
    """
    curve: dict[str, list[Any]] = {"steps": [], "seconds": [], "processor_seconds": [], "returns": []}
    clock, every = Stopwatch(), max(1, steps // CHECKPOINTS)
    with tqdm(total=steps, desc=name, unit="step", mininterval=1.0) as progress:

        def look(step: int, policy: Policy) -> None:
            if step % every and step != steps:
                return
            if step:
                clock.stop()
            progress.update(step - progress.n)
            found = step, clock.passed, clock.processor, [round(float(earned), 3) for earned in evaluate(policy)]
            for column, value in zip(curve.values(), found, strict=True):
                column.append(value)
            clock.start()

        learn(look)
    return curve


def run(library: str, algorithm: str, seed: int, steps: int) -> dict[str, Any]:
    """Train once and return the learning curve."""
    side = importlib.import_module(f"benchmarks.learning.{library}_side")
    settings = settings_of(algorithm, seed=seed, steps=steps)
    learn = functools.partial(side.learn, algorithm, settings)
    curve = learning_curve(learn, steps, evaluate_policy, f"{algorithm} on {library}, seed {seed}")
    return {**curve, "settings": asdict(settings)}

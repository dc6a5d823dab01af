"""A run in iterations that another process can continue: its state, its learning curve and its checkpoint."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from examples.shared.learning_curve import LearningCurve
from npnets import checkpoint
from npnets.optim import AdamState

EVALUATIONS = 10


class Progress:
    """The state and the learning curve of a run, and the file from which another process continues it.

    Parameters
    ----------
    algorithm : any
        Has `init()`, `next(state)` and `evaluate(state)`, all pure functions. A state is a named tuple, and its first
        field is the number of iterations so far.
    path : Path
        The file; it is replaced whole after each iteration.
    options : dict
        Seed and settings: a run continues only with the same ones.
    """

    def __init__(self, algorithm: Any, path: Path, options: dict[str, Any]) -> None:
        self.algorithm, self.path, self.options = algorithm, path, options
        self.state, self.curve = algorithm.init(), LearningCurve(algorithm.evaluate)
        self.earlier, self.began = 0.0, time.perf_counter()

    def seconds(self) -> float:
        """Return how long the run took, in all of its processes."""
        return self.earlier + time.perf_counter() - self.began

    def save(self) -> None:
        """Write the file."""
        curve = {"steps": self.curve.steps, "returns": self.curve.returns}
        facts = {"options": self.options, "seconds": self.seconds()}
        checkpoint.save(self.path, {"state": self.state, "curve": curve}, facts)

    def resume(self) -> None:
        """Read the file if there is one."""
        if not self.path.exists():
            return
        found, facts = checkpoint.load(self.path, classes=(type(self.state), AdamState))
        if not {"options", "seconds"} <= facts.keys():
            raise ValueError(f"{self.path} is no checkpoint of this program; choose another folder with --out")
        for name, value in self.options.items():
            if (saved := facts["options"].get(name)) != value:
                raise ValueError(
                    f"{self.path} is of a run whose {name} is {saved}, but here it is {value}; "
                    "resume with the options of that run, or choose another folder with --out"
                )
        self.state, self.earlier = found["state"], facts["seconds"]
        self.curve.steps, self.curve.returns = found["curve"]["steps"], found["curve"]["returns"]

    def continue_to(self, iterations: int) -> bool:
        """Run until a number of iterations, or Ctrl-C; return whether it got there."""
        every, finished = max(1, iterations // EVALUATIONS), True
        try:
            self.curve.add(0, self.state)  # no point for a resumed run: it ends with those of one that never stopped
            with logging_redirect_tqdm(), tqdm(initial=self.state[0], total=iterations, unit="iteration") as bar:
                while self.state[0] < iterations:
                    self.state = self.algorithm.next(self.state)
                    if self.state[0] % every == 0:
                        self.curve.add(self.state[0], self.state)
                    self.save()
                    bar.set_postfix({"return": f"{self.curve.returns[-1].mean():.1f}"}, refresh=False)
                    bar.update()
        except KeyboardInterrupt:
            print(f"\ninterrupted after iteration {self.state[0]}: saving the current state", file=sys.stderr)
            finished = False
        self.curve.add(self.state[0], self.state)
        return finished

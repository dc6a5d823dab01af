"""The results of a run, in one JSON file with everything that the run's table and figure need."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import Episode, mean_and_standard_error
from examples.shared.picture import draw
from examples.shared.results_folder import write
from npnets.training import provenance
from npnets.training.results import finite

Returns = Mapping[str, NDArray[np.floating]]
Results = dict[str, Any]

EPISODE_DECIMALS = 4
"""Decimals of the arrays of an episode, which are only drawn: in rad, rad/s, N m, and units of reward."""


@dataclass(frozen=True)
class Run:
    """The results of a run.

    Attributes
    ----------
    title : str
        Algorithm and task.
    unit : str
        Unit of the training steps, such as `gradient steps`.
    seed, steps : int
        Seed of all random numbers; number of steps taken.
    seconds : float
        Wall-clock time of training and of the evaluations during training.
    settings : mapping
        Hyperparameters.
    curves : mapping
        Learning curves by the name of the trained policy.
    others : mapping
        Returns of episodes, by the name of a policy without a learning curve.
    episodes : mapping
        One episode of each trained policy, by its name; all from the same initial state.
    more : mapping
        Further numbers that the program prints.
    """

    title: str
    unit: str
    seed: int
    steps: int
    seconds: float
    settings: Mapping[str, Any]
    curves: Mapping[str, LearningCurve]
    others: Returns = field(default_factory=dict)
    episodes: Mapping[str, Episode] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def returns(self) -> Returns:
        """The returns of all policies; for trained policies, at the end of training."""
        return {**self.others, **{name: curve.returns[-1] for name, curve in self.curves.items()}}

    def results(self) -> Results:
        """Return the results as JSON values, with None for numbers that are not finite, as of a diverged policy."""
        facts = {name: getattr(self, name) for name in ("title", "seed", "steps", "unit", "seconds", "settings")}
        found = {
            **facts,
            **self.more,
            "returns": {name: score(earned) for name, earned in self.returns.items()},
            "curves": {
                name: {"steps": curve.steps, "returns": np.array(curve.returns).tolist()}
                for name, curve in self.curves.items()
            },
            "episodes": {name: rounded(episode) for name, episode in self.episodes.items()},
        }
        return {name: finite(part) for name, part in found.items()}


def score(earned: NDArray[np.floating]) -> Results:
    """Return the mean of returns, its standard error, and the returns."""
    mean, error = (float(number) for number in mean_and_standard_error(earned))
    return {"mean": mean, "standard_error": error, "episodes": earned.tolist()}


def rounded(episode: Episode) -> Results:
    """Return the arrays of an episode as lists of rounded numbers."""
    return {name: np.round(array, EPISODE_DECIMALS).tolist() for name, array in asdict(episode).items()}


def write_results(out: Path, run: Run, libraries: tuple[str, ...] = ()) -> None:
    """Write `results.json` and, if there is a learning curve, `learning.png` drawn from it; print the table.

    Parameters
    ----------
    out : Path
        An existing folder.
    run : Run
    libraries : tuple of str
        Packages that the results depend on, beside those that every example uses.
    """
    results = run.results()
    save(out / "results.json", results, libraries)
    if run.curves and all(len(curve.steps) > 1 for curve in run.curves.values()):
        write(out / "learning.png", lambda path: draw(results, path))
    print(f"\n{table(run)}")


def save(path: Path, results: Mapping[str, Any], libraries: tuple[str, ...] = ()) -> None:
    """Write results as JSON, below the command, the date, the machine and the versions that they came from."""
    text = json.dumps({**provenance(("gymnasium", *libraries)), "results": results}, indent=2, allow_nan=False)
    write(path, lambda unfinished: unfinished.write_text(lists_on_lines(text) + "\n", encoding="utf-8"))


def lists_on_lines(text: str) -> str:
    """Put every list of numbers on one line; strings do not change."""
    lists = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[-+.,\deE\s]|null)*\]')
    return lists.sub(lambda found: found[0] if found[0][0] == '"' else f"[{' '.join(found[0][1:-1].split())}]", text)


def table(run: Run) -> str:
    """Return a table of returns: policy, mean, standard error, number of episodes."""
    rows = [f"{'return of an episode':<24}{'mean':>9}{'std. error':>12}{'episodes':>10}"]
    untrained = {f"{name}, untrained": curve.returns[0] for name, curve in run.curves.items()}
    for name, earned in {**untrained, **run.returns}.items():
        mean, error = mean_and_standard_error(earned)
        rows.append(f"{name:<24}{mean:>9.1f}{error:>12.1f}{len(earned):>10}")
    return "\n".join(rows)

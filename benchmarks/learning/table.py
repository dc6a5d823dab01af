"""The learning curves of two libraries as a table: final returns, seconds of learning, and their ratios for every seed.

Knows neither library, only what `learning/one_side.py` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.harness.ratios import geometric_mean
from examples.shared.pendulum_evaluation import mean_and_standard_error

LIBRARIES = ("npnets", "tianshou")

Run = dict[str, Any]
"""What one process of `learning/one_side.py` writes."""

Pair = tuple[Run, Run]
"""npnets' run and Tianshou's with one algorithm and seed."""

CLOCKS = ("seconds", "processor_seconds")


def pairs(runs: Sequence[Run]) -> dict[str, list[Pair]]:
    """Return the runs that both libraries have finished, by algorithm and in the order of seeds."""
    found: dict[tuple[str, int], dict[str, Run]] = {}
    for run in runs:
        found.setdefault((run["algorithm"], run["seed"]), {})[run["library"]] = run
    whole: dict[str, list[Pair]] = {}
    for (algorithm, _), sides in sorted(found.items(), key=lambda item: item[0]):
        if len(sides) == len(LIBRARIES):
            ours, theirs = (sides[library] for library in LIBRARIES)
            whole.setdefault(algorithm, []).append((ours, theirs))
    return whole


def learning_table(runs: Sequence[Run]) -> list[str]:
    """Return the lines of a table: a row for each seed, and for each algorithm the geometric mean of its ratios."""
    lines = [
        f"{'':<15}{'final return':^36}{'seconds of learning':^34}{'processor':>10}",
        f"{'algorithm':<9}{'seed':>6}{'npnets':>18}{'Tianshou':>18}{'npnets':>12}{'Tianshou':>12}{'ratio':>10}{'ratio':>10}",
    ]
    means = []
    for algorithm, seeds in pairs(runs).items():
        lines += [_row(algorithm, pair) for pair in seeds]
        passed, processor = (geometric_mean(ratio(pair, clock) for pair in seeds) for clock in CLOCKS)
        means.append(f"{algorithm}: {passed:.2f} of Tianshou's time and {processor:.2f} of its processor time")
    return [*lines, *means]


def ratio(pair: Pair, clock: str) -> float:
    """Return npnets' time over Tianshou's for all steps."""
    ours, theirs = pair
    return ours[clock][-1] / theirs[clock][-1]


def _row(algorithm: str, pair: Pair) -> str:
    returns = "".join(f"{_return(run):>18}" for run in pair)
    seconds = "".join(f"{run['seconds'][-1]:>12.1f}" for run in pair)
    ratios = "".join(f"{ratio(pair, clock):>10.2f}" for clock in CLOCKS)
    return f"{algorithm:<9}{pair[0]['seed']:>6}{returns}{seconds}{ratios}"


def _return(run: Run) -> str:
    """Return what the last policy earns in an episode, and the standard error."""
    mean, error = mean_and_standard_error(np.array(run["returns"][-1]))
    return f"{mean:.1f} +- {error:.1f}"

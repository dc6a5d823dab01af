"""The table of two libraries' learning curves: final returns, seconds of training, and ratios for every seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.harness.ratios import geometric_mean
from benchmarks.learning.rival import LIBRARIES
from examples.shared.pendulum_evaluation import mean_and_standard_error

Run = dict[str, Any]
"""Library, algorithm, seed and threads of one process, and its learning curve."""

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


def summed_up(runs: Sequence[Run]) -> dict[str, Any]:
    """Return, by algorithm, a row for each seed, and the geometric means of the ratio of npnets' time to Tianshou's."""
    found = pairs(runs)
    return {
        "rows": {algorithm: [_row(pair) for pair in seeds] for algorithm, seeds in found.items()},
        "npnets_over_tianshou": {algorithm: _means(seeds) for algorithm, seeds in found.items()},
    }


def learning_table(runs: Sequence[Run]) -> list[str]:
    """Return the lines of a table: a row for each seed, and for each algorithm the geometric mean of its ratios."""
    lines = [
        f"{'':<15}{'final return':^36}{'seconds of learning':^34}{'processor':>10}",
        f"{'algorithm':<9}{'seed':>6}{'npnets':>18}{'Tianshou':>18}{'npnets':>12}{'Tianshou':>12}{'ratio':>10}{'ratio':>10}",
    ]
    found = summed_up(runs)
    lines += [f"{algorithm:<9}{_shown(row)}" for algorithm, rows in found["rows"].items() for row in rows]
    for algorithm, mean in found["npnets_over_tianshou"].items():
        passed, processor = (mean[clock] for clock in CLOCKS)
        lines.append(f"{algorithm}: {passed:.2f} of Tianshou's time and {processor:.2f} of its processor time")
    return lines


def _row(pair: Pair) -> dict[str, Any]:
    """Return the final return and the seconds of each library, and the ratio of npnets' seconds to Tianshou's."""
    ratios = {clock: round(_ratio(pair, clock), 4) for clock in CLOCKS}
    return {"seed": pair[0]["seed"], **{run["library"]: _final(run) for run in pair}, "npnets_over_tianshou": ratios}


def _final(run: Run) -> dict[str, float]:
    mean, error = mean_and_standard_error(np.array(run["returns"][-1]))
    numbers = {"return_mean": mean, "return_standard_error": error, **{clock: run[clock][-1] for clock in CLOCKS}}
    return {name: round(float(number), 3) for name, number in numbers.items()}


def _ratio(pair: Pair, clock: str) -> float:
    """Return the ratio of npnets' time to Tianshou's for all steps."""
    ours, theirs = pair
    return ours[clock][-1] / theirs[clock][-1]


def _means(seeds: Sequence[Pair]) -> dict[str, float]:
    return {clock: round(geometric_mean(_ratio(pair, clock) for pair in seeds), 4) for clock in CLOCKS}


def _shown(row: dict[str, Any]) -> str:
    sides = [row[library] for library in LIBRARIES]
    scores = [f"{side['return_mean']:.1f} +- {side['return_standard_error']:.1f}" for side in sides]
    returns = "".join(f"{score:>18}" for score in scores)
    seconds = "".join(f"{side['seconds']:>12.1f}" for side in sides)
    ratios = "".join(f"{row['npnets_over_tianshou'][clock]:>10.2f}" for clock in CLOCKS)
    return f"{row['seed']:>6}{returns}{seconds}{ratios}"

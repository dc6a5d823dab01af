"""The summaries of the whole training step: milliseconds of each side, ratios, and the returns that were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.cpu.sides import OURS
from benchmarks.harness.ratios import spread, within_rounds
from benchmarks.training.sides import RIVALS, SIDES
from examples.shared.pendulum_evaluation import mean_and_standard_error

LIMITS = {"sbx": 0.5, "rltools": 3.0}
"""The limits for the ratios of npnets' time to that of a rival."""

Found = dict[str, Any]
"""The results of one algorithm."""


def summed_up(times: Mapping[str, Sequence[float]], returns: Mapping[str, Mapping[str, Sequence[float]]]) -> Found:
    """Return the results of one algorithm.

    Parameters
    ----------
    times : mapping
        Milliseconds of a step by side, one for each round.
    returns : mapping
        By side, the returns of all episodes of the `untrained` and of the `trained` policy.
    """
    return {
        "milliseconds": {side: spread(values).rounded(4) for side, values in times.items()},
        "over": {ours: _over(times, ours) for ours in OURS if ours in times},
        "returns": {side: {when: score(values) for when, values in found.items()} for side, found in returns.items()},
        "rounds": {side: [round(value, 4) for value in values] for side, values in times.items()},
    }


def _over(times: Mapping[str, Sequence[float]], ours: str) -> dict[str, dict[str, float]]:
    return {side: spread(within_rounds(times[ours], times[side])).rounded(4) for side in RIVALS if side in times}


def score(returns: Sequence[float]) -> dict[str, float]:
    """Return the mean return and its standard error."""
    mean, error = mean_and_standard_error(np.array(returns))
    return {"mean": round(float(mean), 1), "standard_error": round(float(error), 1)}


def training_table(algorithms: Mapping[str, Found]) -> list[str]:
    """Return the lines of a table of all algorithms, and those of the ratios."""
    lines = []
    for algorithm, found in algorithms.items():
        lines += ["", f"{algorithm.upper():<22}{'ms a step':>12}{'untrained':>20}{'trained':>20}"]
        lines += [_row(side, found) for side in found["milliseconds"]]
        lines += [_ratio(ours, side, ratio) for ours, over in found["over"].items() for side, ratio in over.items()]
    return lines[1:]


def _row(side: str, found: Found) -> str:
    scores = (found["returns"].get(side, {}).get(when) for when in ("untrained", "trained"))
    shown = (f"{one['mean']:.0f} +- {one['standard_error']:.0f}" if one else "" for one in scores)
    return f"{SIDES[side].name:<22}{found['milliseconds'][side]['median']:>12.3f}" + "".join(f"{s:>20}" for s in shown)


def _ratio(ours: str, side: str, ratio: Mapping[str, float]) -> str:
    limit = f", at most {LIMITS[side]:g} expected" if side in LIMITS else ""
    return (
        f"{SIDES[ours].name} over {SIDES[side].name}: "
        f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f}){limit}"
    )

"""The tables of trainings beside Tianshou's: SAC and TD3 online, and BCQ from recorded data."""

from __future__ import annotations

import math
import statistics
from typing import Any

from benchmarks.publish.markup import Table, plus_minus
from benchmarks.publish.records import Records

Run = dict[str, Any]

HEADER = ("return, npnets", "return, Tianshou", "seconds, npnets", "seconds, Tianshou", "ratio")


def learning(records: Records) -> Table:
    """Return final returns and seconds of learning, a row for each algorithm and seed."""
    rows = []
    for ours, theirs in pairs(records["learning_side_by_side"]["results"]["runs"], "algorithm", "seed"):
        scores = [plus_minus(_final(run)) for run in (ours, theirs)]
        seconds = [run["seconds"][-1] for run in (ours, theirs)]
        cells = [*scores, *(f"{value:.0f}" for value in seconds), f"{seconds[0] / seconds[1]:.2f}"]
        rows.append([ours["algorithm"].upper(), str(ours["seed"]), *cells])
    return Table(["algorithm", "seed", *HEADER], rows)


def bcq(records: Records) -> Table:
    """Return final returns and seconds of training, a row for each number of threads and seed."""
    rows = []
    for ours, theirs in pairs(records["bcq_side_by_side"]["results"]["runs"], "threads", "seed"):
        means = [{"mean": run["return_mean"], "standard_error": run["return_standard_error"]} for run in (ours, theirs)]
        scores = [plus_minus(score) for score in means]
        seconds = [run["train_seconds"] for run in (ours, theirs)]
        cells = [*scores, *(f"{value:.1f}" for value in seconds), f"{seconds[0] / seconds[1]:.2f}"]
        rows.append([str(ours["threads"]), str(ours["seed"]), *cells])
    return Table(["threads", "seed", *HEADER], rows)


def learning_ratio(records: Records, algorithm: str) -> float:
    """Return npnets' seconds over Tianshou's, the geometric mean over the seeds."""
    found: dict[str, float] = records["learning_side_by_side"]["results"]["npnets_over_tianshou"][algorithm]
    return found["seconds"]


def pairs(runs: list[Run], *keys: str) -> list[tuple[Run, Run]]:
    """Return npnets' run and Tianshou's of each case, in the order of the cases."""
    cases = {tuple(run[key] for key in keys): {} for run in runs}  # type: dict[tuple[Any, ...], dict[str, Run]]
    for run in runs:
        cases[tuple(run[key] for key in keys)][run["library"]] = run
    return [(sides["npnets"], sides["tianshou"]) for _, sides in sorted(cases.items(), key=lambda item: item[0])]


def _final(run: Run) -> dict[str, float]:
    """Return what the last policy earns in an episode, with the standard error."""
    earned = run["returns"][-1]
    return {"mean": statistics.fmean(earned), "standard_error": statistics.stdev(earned) / math.sqrt(len(earned))}

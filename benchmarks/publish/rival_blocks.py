"""The tables that compare training with Tianshou's: SAC and TD3 online, and BCQ from recorded data."""

from __future__ import annotations

from typing import Any

from benchmarks.learning.bcq_side_by_side import pairs
from benchmarks.learning.rival import LIBRARIES
from benchmarks.publish.markup import Table, plus_minus
from benchmarks.publish.records import Records

Run = dict[str, Any]

HEADER = ("return, npnets", "return, Tianshou", "seconds, npnets", "seconds, Tianshou", "ratio")


def learning(records: Records) -> Table:
    """Return final returns and seconds of training, a row for each algorithm and seed."""
    rows = []
    for algorithm, seeds in records["learning_side_by_side"]["results"]["rows"].items():
        for row in seeds:
            sides = [row[library] for library in LIBRARIES]
            seconds = [f"{side['seconds']:.0f}" for side in sides]
            cells = [*map(_return, sides), *seconds, f"{row['npnets_over_tianshou']['seconds']:.2f}"]
            rows.append([algorithm.upper(), str(row["seed"]), *cells])
    return Table(["algorithm", "seed", *HEADER], rows)


def bcq(records: Records) -> Table:
    """Return final returns and seconds of training, a row for each number of threads and seed."""
    rows = []
    for sides in pairs(records["bcq_side_by_side"]["results"]["runs"]):
        ours, theirs = (side["train_seconds"] for side in sides)
        cells = [*map(_return, sides), f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"]
        rows.append([str(sides[0]["threads"]), str(sides[0]["seed"]), *cells])
    return Table(["threads", "seed", *HEADER], rows)


def learning_ratio(records: Records, algorithm: str) -> float:
    """Return the ratio of npnets' seconds to Tianshou's, the geometric mean over the seeds."""
    found: dict[str, float] = records["learning_side_by_side"]["results"]["npnets_over_tianshou"][algorithm]
    return found["seconds"]


def _return(run: Run) -> str:
    return plus_minus({"mean": run["return_mean"], "standard_error": run["return_standard_error"]})

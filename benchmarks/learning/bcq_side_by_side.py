"""The BCQ example on npnets and on Tianshou 1.0.0 with PyTorch: returns and training times.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python -m benchmarks.learning.bcq_side_by_side    # prints a table, writes runs/benchmarks
    python -m benchmarks.learning.bcq_side_by_side --again

Data, settings, seeds, steps and evaluation are equal. Every run has its own process, the libraries take turns, and
their order is reversed after each pair.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.harness.options import parse
from benchmarks.harness.ratios import spread
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from benchmarks.learning.rival import LIBRARIES, check_rival
from examples.shared.command_line import at_least

NAME = "bcq_side_by_side"
ONE_SIDE = "benchmarks.learning.bcq_one_side"

FULL = {"seeds": [0, 1, 2], "threads": [1, 2], "episodes": 30}
QUICK = {"seeds": [0], "threads": [1], "episodes": 2, "steps": 200}

Run = dict[str, Any]
"""One training: `library`, `seed`, `threads`, and the result of `bcq_one_side.run`."""


def run(library: str, seed: int, threads: int, options: argparse.Namespace) -> Run:
    """Run one library once in a new process."""
    with Worker(ONE_SIDE, f"BCQ on {library}, seed {seed},", threads) as worker:
        request = {"library": library, "seed": seed, "steps": options.steps, "episodes": options.episodes}
        return {"library": library, "seed": seed, "threads": threads, **worker.call(run=request)}


def measure(record: Record, options: argparse.Namespace) -> None:
    """Run all trainings of the options, and write the results after every pair."""
    check_rival()
    runs: list[Run] = []
    cases = [(threads, seed) for threads in options.threads for seed in options.seeds]
    for index, (threads, seed) in enumerate(cases):
        runs += [run(library, seed, threads, options) for library in in_turn(LIBRARIES, index)]
        record.write({"runs": runs, "npnets_over_tianshou": ratios(runs)})


def pairs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Return npnets' run and Tianshou's for each number of threads and seed."""
    cases: dict[tuple[int, int], dict[str, Run]] = {}
    for one in runs:
        cases.setdefault((one["threads"], one["seed"]), {})[one["library"]] = one
    return [(sides["npnets"], sides["tianshou"]) for sides in cases.values()]


def ratios(runs: list[Run]) -> dict[str, dict[str, float]]:
    """Return the spread of the ratios of training times over the seeds, by the number of threads."""
    found: dict[str, list[float]] = {}
    for ours, theirs in pairs(runs):
        found.setdefault(str(ours["threads"]), []).append(ours["train_seconds"] / theirs["train_seconds"])
    return {threads: spread(values).rounded(4) for threads, values in found.items()}


def bcq_table(found: dict[str, Any]) -> list[str]:
    """Return the lines of a table: a row for each seed and number of threads, then the median ratio of times."""
    columns = f"{'return npnets':>20}{'return Tianshou':>20}{'s npnets':>10}{'s Tianshou':>12}{'ratio':>8}"
    lines = [f"{'threads':>7}{'seed':>6}{columns}"]
    for ours, theirs in pairs(found["runs"]):
        scores = [f"{one['return_mean']:.1f} +- {one['return_standard_error']:.1f}" for one in (ours, theirs)]
        ratio = ours["train_seconds"] / theirs["train_seconds"]
        seconds = f"{ours['train_seconds']:>10.1f}{theirs['train_seconds']:>12.1f}{ratio:>8.2f}"
        lines.append(f"{ours['threads']:>7}{ours['seed']:>6}{scores[0]:>20}{scores[1]:>20}{seconds}")
    for threads, over in found["npnets_over_tianshou"].items():
        lines.append(f"median ratio of training times, npnets to Tianshou, {threads} threads: {over['median']:.2f}")
    return lines


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Compare the BCQ example on npnets and on Tianshou.")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", help="default: 0 1 2")
    parser.add_argument("--threads", type=at_least(1), nargs="+", help="default: 1 2")
    parser.add_argument("--steps", type=at_least(1), help="default: the example's")
    parser.add_argument("--episodes", type=at_least(1), help="episodes of the evaluation; default: 30")
    options = parse(parser, FULL, QUICK)
    measure_and_show(NAME, options, measure, lambda found, _: print(*bcq_table(found), sep="\n"))


if __name__ == "__main__":
    main()

"""The cost of populations on processes of this machine and on Ray, and the driver's own work on simulated clusters.

    pip install -e '.[examples,ray]'
    python -m benchmarks.parallel         # prints tables, writes parallel.json to runs/benchmarks
    python -m benchmarks.parallel --quick
    python -m benchmarks.parallel --again

Each engine has a driver in a process of its own, with two workers. All processes compute on one thread.

- `overhead`: calls whose tasks do nothing with a tree of 288 KB, which travels once for a call (`shared`), with each
  task (`member`) or back from each (`result`); bytes are those of pickles, without the engine's own envelope.
- `start`: seconds until the first result, in a new process; and from the death of a worker to its task's result,
  where another worker waits (`other`) and where there is no other (`only`).
- `efficiency`: tasks that play episodes of Pendulum for about 50 ms, on one worker and on two.
- `clusters`: simulated clusters of Ray, of nodes with one CPU on this machine; `cluster_side.py` describes them.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from typing import Any

from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from benchmarks.parallel.engines import ENGINES, ON_PROCESSES
from benchmarks.parallel.problem import PAIRS
from benchmarks.parallel.table import KINDS, Found, efficiency_of, lines_of, summed_up
from examples.shared.command_line import at_least

NAME = "parallel"
ONE_SIDE, CLUSTER_SIDE = "benchmarks.parallel.one_side", "benchmarks.parallel.cluster_side"

WORKERS = 2
TASKS_A_NODE, TASK_SECONDS = 8, 0.2
"""Of a simulated cluster."""

FULL: dict[str, Any] = {"rounds": 7, "tasks": 200, "played": 60, "nodes": (1, 2, 4, 8)}
QUICK: dict[str, Any] = {"rounds": 2, "tasks": 50, "played": 20, "nodes": (1, 2)}


def measure(record: Record, options: argparse.Namespace) -> None:
    """Measure every part, and write the results after each."""
    if importlib.util.find_spec("ray") is None:
        sys.exit(f"error: {sys.executable} has no ray; to install: pip install -e '.[examples,ray]'")
    found: Found = {"rounds": options.rounds, "workers": WORKERS}
    for name, part in {"overhead": overhead, "start": start, "efficiency": efficiency, "clusters": clusters}.items():
        print(name, file=sys.stderr)
        found[name] = part(options)
        record.write(found)


def engine(name: str) -> Worker:
    """Start the process of an engine's driver, on one thread."""
    return Worker(ONE_SIDE, name, threads=1)


def overhead(options: argparse.Namespace) -> Found:
    """Return the milliseconds of a task with a tree, by engine and by how the tree travels, and the bytes."""
    milliseconds = {}
    for name in ENGINES:
        with engine(name) as side:
            side.call(begin={"engine": name, "workers": WORKERS})
            rounds = [_tree_round(side, index, options.tasks) for index in range(options.rounds + 1)]
            milliseconds[name] = summed_up(rounds[1:], 4)  # the first round warms up
            side.call(end={})
    with engine("bytes") as side:
        counted = {kind: side.call(travelling={"kind": kind, "tasks": 10}) for kind in KINDS}
    return {"tasks": options.tasks, "milliseconds": milliseconds, "bytes": counted}


def _tree_round(side: Worker, index: int, tasks: int) -> dict[str, float]:
    kinds = in_turn(KINDS, index)
    return {kind: side.call(milliseconds={"kind": kind, "workers": WORKERS, "tasks": tasks}) for kind in kinds}


def start(options: argparse.Namespace) -> Found:
    """Return the seconds until each engine's first result, and those until a dead worker's task has its result."""
    found = {}
    for name in ON_PROCESSES:
        rounds = []
        for _ in range(min(options.rounds, 5)):
            with engine(name) as side:
                first = side.call(begin={"engine": name, "workers": WORKERS})
                side.call(begin_one={"engine": name, "workers": WORKERS})
                other, only = (side.call(recover={"workers": workers}) for workers in (WORKERS, 1))
                side.call(end={})
            rounds.append({"first result": first, "other": other, "only": only})
        found[name] = summed_up(rounds, 3)
    return found


def efficiency(options: argparse.Namespace) -> Found:
    """Return the seconds of tasks that compute, on one worker and on two, which take turns."""
    found = {}
    for name in ON_PROCESSES:
        with engine(name) as side:
            side.call(begin={"engine": name, "workers": WORKERS})
            side.call(begin_one={"engine": name, "workers": WORKERS})
            rounds = []
            for index in range(options.rounds):
                turns = in_turn((("one", 1), ("two", WORKERS)), index)
                rounds.append({key: side.call(play={"workers": n, "tasks": options.played}) for key, n in turns})
            found[name] = efficiency_of(rounds)
            side.call(end={})
    return {"tasks": options.played, "engines": found}


def clusters(options: argparse.Namespace) -> Found:
    """Return the driver's seconds for an iteration on a cluster that grows."""
    points = []
    with Worker(CLUSTER_SIDE, "the cluster", threads=1) as side:
        parameters = side.call(begin={"seconds": TASK_SECONDS})
        for nodes in options.nodes:
            tasks = TASKS_A_NODE * nodes
            side.call(grow={"nodes": nodes, "tasks": tasks})
            rounds = [side.call(iterate={"tasks": tasks}) for _ in range(options.rounds)]
            points.append({"nodes": nodes, "tasks": tasks, **summed_up(rounds, 5)})
        side.call(end={})
    facts = {"task_seconds": TASK_SECONDS, "tasks_a_node": TASKS_A_NODE, "pairs": PAIRS, "parameters": parameters}
    return {**facts, "points": points}


def report(found: Found, options: argparse.Namespace) -> None:
    """Print the results."""
    print(*lines_of(found), sep="\n")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parallel", description="Time populations of tasks.")
    parser.add_argument("--rounds", type=at_least(1), help="default: 7")
    parser.add_argument("--tasks", type=at_least(1), help="tasks of a call that measures overhead; default: 200")
    parser.add_argument("--played", type=at_least(1), help="tasks of a call that computes; default: 60")
    parser.add_argument("--nodes", type=at_least(1), nargs="+", help="sizes of simulated clusters; default: 1 2 4 8")
    options = parse(parser, FULL, QUICK, arguments)
    if list(options.nodes) != sorted(set(options.nodes)):
        parser.error("argument --nodes: expected sizes that grow, because a simulated cluster grows")
    return options


def main() -> None:
    """Read the command line and run."""
    measure_and_show(NAME, parse_options(), measure, report)


if __name__ == "__main__":
    main()

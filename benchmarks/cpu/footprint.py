"""The fixed cost of each library: disk space, import time, memory, and the time of one action.

    python -m benchmarks.cpu.footprint              # prints a table, writes runs/benchmarks/footprint.json
    python -m benchmarks.cpu.footprint --again

Imports run in fresh processes, in turn. One action is the forward pass of an actor with two hidden layers of 256 for
one observation, on one thread. Memory is the resident memory of the process, measured on Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import ROOT
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.packages import megabytes
from benchmarks.cpu.sides import LIBRARIES, SIDES, start
from benchmarks.harness.options import parse
from benchmarks.harness.ratios import spread
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import take_turns, unforced
from examples.shared.command_line import at_least

NAME = "footprint"

IMPORTS = {
    "npnets": "import npnets",
    "tianshou": "import torch; from tianshou.utils.net import common, continuous",
    "jax": "import jax, jax.numpy",
    "autograd": "import autograd.numpy",
}

Cost = tuple[float, int]
"""Seconds of an import, and the resident bytes of the process after it."""

ACTION = Cell("actor", "forward", 1)

COLUMNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "installed, MB": lambda side: f"{side['installed_mb']:.0f}",
    "import, ms": lambda side: f"{side['import_seconds']['median'] * 1e3:.0f}",
    "memory then, MB": lambda side: f"{side['mb_after_import']:.0f}",
    "after one action, MB": lambda side: f"{side['mb_after_action']:.0f}",
    "one action, us": lambda side: f"{side['action_microseconds']['median']:.1f}",
}


def import_cost(statement: str) -> Cost:
    """Return the cost of one import in a fresh process."""
    code = (
        f"import time; began = time.perf_counter(); {statement}; seconds = time.perf_counter() - began; "
        "import json; from benchmarks.harness import resident_memory; "
        "print(json.dumps([seconds, resident_memory.resident_memory()[0]]))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=unforced())
    seconds, held = json.loads(done.stdout)
    return seconds, held


def import_costs(rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of all imports in turn; a first round only fills the disk cache."""
    found = [{side: import_cost(statement) for side, statement in IMPORTS.items()} for _ in range(rounds + 1)]
    return {side: [one[side] for one in found[1:]] for side in IMPORTS}


def measure(record: Record, options: argparse.Namespace) -> None:
    """Measure each library in fresh processes: imports in turn, actions in turn, and memory after one action."""
    imports = import_costs(options.rounds)
    actions = take_turns(start, {ACTION: LIBRARIES}, 1, options.rounds, options.seconds)[ACTION]
    sides = {side: _side(side, imports[side], actions[side]) for side in LIBRARIES}
    record.write({"rounds": options.rounds, "sides": sides})


def _side(side: str, imports: list[Cost], actions: list[float]) -> dict[str, Any]:
    with start(side) as worker:
        acted = worker.call(resident=ACTION)
    packages = megabytes(side)
    return {
        "packages_mb": packages,
        "installed_mb": round(sum(packages.values()), 1),
        "import_seconds": spread([seconds for seconds, _ in imports]).rounded(4),
        "mb_after_import": round(statistics.median(held for _, held in imports) / 1e6, 1),
        "mb_after_action": round(acted / 1e6, 1),
        "action_microseconds": spread(actions).rounded(2),
    }


def footprint_table(found: dict[str, Any]) -> list[str]:
    """Return the lines: a row for each library."""
    lines = [f"{'':<12}" + "".join(f"{name:>{len(name) + 4}}" for name in COLUMNS)]
    for name, side in found["sides"].items():
        row = "".join(f"{shown(side):>{len(column) + 4}}" for column, shown in COLUMNS.items())
        lines.append(f"{SIDES[name].name:<12}{row}")
    return lines


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Measure the fixed cost of npnets, Tianshou, JAX and autograd.")
    parser.add_argument("--rounds", type=at_least(1), help="number of rounds; default: 21")
    parser.add_argument("--seconds", type=float, help="seconds of a block of calls; default: 0.05")
    options = parse(parser, {"rounds": 21, "seconds": 0.05}, {"rounds": 3, "seconds": 0.01})
    measure_and_show(NAME, options, measure, lambda found, _: print(*footprint_table(found), sep="\n"))


if __name__ == "__main__":
    main()

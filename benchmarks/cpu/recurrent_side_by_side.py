"""The recurrent networks on npnets and on Tianshou 1.0.0 with PyTorch, side by side on the CPU: times and memory.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python -m benchmarks.cpu.recurrent_side_by_side --check     # do both compute the same?
    python -m benchmarks.cpu.recurrent_side_by_side             # how long do they take, and how much do they keep?

Each side in a process of its own, which waits while the other works; many rounds, the order turned round after each.
A ratio is npnets' time over Tianshou's in the same round, and what is shown is the median over the rounds. The floor
is a third process that does the matrix products alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.cpu.recurrent_problem import CELLS, NETWORKS, bytes_to_keep
from benchmarks.cpu.recurrent_table import Memory, memory_table, times_table
from benchmarks.gpu.results import differences_table
from benchmarks.gpu.side_by_side import machine
from benchmarks.harness.turns import Worker, take_turns

BENCHMARK = "recurrent"
LIBRARIES = ("npnets", "tianshou")
TIMED = dict.fromkeys(CELLS, (*LIBRARIES, "products"))


def measure_memory() -> Memory:
    """Return the bytes of each library's gradients, every one in a fresh process."""
    found: Memory = {}
    for cell in CELLS:
        if cell.kind == "gradient" and cell.steps > 1:
            found[cell] = {}
            for side in LIBRARIES:
                with Worker(BENCHMARK, side, 1, 0.0) as worker:
                    found[cell][side] = worker.ask(memory=cell)
    return found


def check() -> bool:
    """Compare what both libraries compute, print the differences, and return whether they are small enough."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for side in LIBRARIES:
            file = Path(folder) / f"{side}.npz"
            with Worker(BENCHMARK, side, 1, 0.0) as worker:
                worker.ask(outcomes=(str(file), CELLS))
            with np.load(file) as arrays:
                outcomes.append(dict(arrays))
    # In one step from a state of zeros, the weights that multiply it have a gradient of zero on both sides.
    zero = {f"1x1/{network}_gradient/lstm.layer_0.weight_hh" for network in NETWORKS}
    lines, same = differences_table(*outcomes, zero)
    print("\n".join(lines))
    return same


def facts() -> dict[str, str]:
    """The machine and all versions."""
    found = machine()
    for side in LIBRARIES:
        with Worker(BENCHMARK, side, 1, 0.0) as worker:
            found |= worker.ask(facts=True)
    return found


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare the recurrent networks of npnets and of Tianshou.")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=21, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.05, help="that a block of calls takes; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="three rounds of short blocks")
    parser.add_argument("--check", action="store_true", help="compare what both compute, and time nothing")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.01
    return options


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    if options.check:
        sys.exit(0 if check() else "error: the two sides do not compute the same")
    print("\n".join(f"{name}: {value}" for name, value in facts().items()))
    for threads in options.threads:
        times = take_turns(BENCHMARK, TIMED, threads, options.rounds, options.seconds)
        print(f"\nthreads: {threads}; load average of the last minutes: {os.getloadavg()[1]:.1f}")
        print("\n".join(times_table(times)), flush=True)
    kept = {cell: bytes_to_keep(cell.batch, cell.steps) for cell in CELLS}
    print("\n" + "\n".join(memory_table(measure_memory(), kept)))


if __name__ == "__main__":
    main()

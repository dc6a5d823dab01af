"""The recurrent networks on npnets and on Tianshou 1.0.0 with PyTorch, side by side on the CPU: times and memory.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python benchmarks/recurrent_side_by_side.py --check     # do both compute the same?
    python benchmarks/recurrent_side_by_side.py             # how long do they take, and how much do they keep?

Each side in a process of its own, which waits while the other works; many rounds, the order turned round after each.
A ratio is npnets' time over Tianshou's in the same round, and what is shown is the median over the rounds. The floor
is a third process that does the matrix products alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from gpu_results import differences_table
from gpu_side_by_side import machine
from recurrent_problem import CELLS, NETWORKS, bytes_to_keep
from recurrent_table import Memory, Times, memory_table, times_table

ONE_SIDE = Path(__file__).resolve().parent / "recurrent_one_side.py"
LIBRARIES = ("npnets", "tianshou")
TIMED = (*LIBRARIES, "products")

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""What slows OpenBLAS down where it is forced on it; timings are taken without."""

PAUSE = 0.03
"""Seconds between turns: threads of OpenBLAS and OpenMP spin for a while when their work is done."""


class Worker:
    """One side in a process of its own."""

    def __init__(self, side: str, threads: int, seconds: float) -> None:
        command = [sys.executable, str(ONE_SIDE), "--side", side, "--threads", str(threads), "--seconds", str(seconds)]
        environment = {key: value for key, value in os.environ.items() if key not in FORCED}
        self.side = side
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def ask(self, **request: Any) -> Any:
        """Send a request, and wait for the answer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.side} ended with status {self.process.wait()}; the reason stands above")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def time_rounds(threads: int, options: argparse.Namespace) -> Times:
    """Time every cell on every side in every round: microseconds by cell and side, one entry a round."""
    times: Times = {cell: {side: [] for side in TIMED} for cell in CELLS}
    workers = [Worker(side, threads, options.seconds) for side in TIMED]
    with workers[0], workers[1], workers[2]:
        for index in range(options.rounds + 1):
            print(f"threads {threads}: round {index} of {options.rounds}", file=sys.stderr)
            for cell in CELLS:
                for worker in workers if index % 2 else workers[::-1]:
                    time.sleep(PAUSE)
                    microseconds = worker.ask(cell=cell)
                    if index:  # the first round warms up
                        times[cell][worker.side].append(microseconds)
    return times


def measure_memory() -> Memory:
    """Return the bytes of each library's gradients, every one in a fresh process."""
    found: Memory = {}
    for cell in CELLS:
        if cell.kind == "gradient" and cell.steps > 1:
            found[cell] = {}
            for side in LIBRARIES:
                with Worker(side, 1, 0.0) as worker:
                    found[cell][side] = worker.ask(memory=cell)
    return found


def check() -> bool:
    """Compare what both libraries compute, print the differences, and return whether they are small enough."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for side in LIBRARIES:
            file = Path(folder) / f"{side}.npz"
            with Worker(side, 1, 0.0) as worker:
                worker.ask(outcomes=str(file))
            with np.load(file) as arrays:
                outcomes.append(dict(arrays))
    # In one step from a state of zeros, the weights that multiply it have a gradient of zero on both sides.
    zero = {f"1x1/{network}_gradient/lstm.layer_0.weight_hh" for network in NETWORKS}
    still = all(not found[name].any() for found in outcomes for name in zero)
    ours, theirs = ({name: array for name, array in found.items() if name not in zero} for found in outcomes)
    lines, same = differences_table(ours, theirs)
    print("\n".join(lines))
    return same and still


def facts() -> dict[str, str]:
    """The machine and all versions."""
    found = machine()
    for side in LIBRARIES:
        with Worker(side, 1, 0.0) as worker:
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
        times = time_rounds(threads, options)
        print(f"\nthreads: {threads}; load average of the last minutes: {os.getloadavg()[1]:.1f}")
        print("\n".join(times_table(times)), flush=True)
    kept = {cell: bytes_to_keep(cell.batch, cell.steps) for cell in CELLS}
    print("\n" + "\n".join(memory_table(measure_memory(), kept)))


if __name__ == "__main__":
    main()

"""Sides of a benchmark that take turns: each in a process of its own, which waits while another works.

In one process the sides' threads would disturb each other. Owns the processes (`harness/one_side.py`) and the
order of their turns. Knows no library and no workload.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from benchmarks import ROOT

ONE_SIDE = "benchmarks.harness.one_side"

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""What slows OpenBLAS down where it is forced on it; timings are taken without."""

PAUSE = 0.03
"""Seconds between turns."""

SPIN = 0.15
"""The same with several threads: those of OpenBLAS and OpenMP spin for a while when their work is done. After 0.03 they
still took half of the next side's time, and the order of the sides could be read off the table."""

Times = dict[Any, dict[str, list[float]]]
"""Microseconds a call, by cell and side; one entry a round."""


class Ended(SystemExit):
    """A side's process ended before it answered."""


class Worker:
    """One side in a process of its own.

    Parameters
    ----------
    benchmark, side : str
        What is computed and by whom: `one_side.BENCHMARKS` names the modules.
    threads : int
    seconds : float
        That a block of calls takes.
    """

    def __init__(self, benchmark: str, side: str, threads: int, seconds: float) -> None:
        command = [sys.executable, "-m", ONE_SIDE, "--benchmark", benchmark, "--side", side]
        command += ["--threads", str(threads), "--seconds", str(seconds)]
        environment = {key: value for key, value in os.environ.items() if key not in FORCED}
        self.side = side
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, cwd=ROOT
        )

    def ask(self, **request: Any) -> Any:
        """Send a request, and wait for the answer."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Ended(f"{self.side} ended with status {self.process.wait()}; the reason stands above")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def take_turns(benchmark: str, cells: Mapping[Any, Sequence[str]], threads: int, rounds: int, seconds: float) -> Times:
    """Time every cell on each of its sides in every round; the order of the sides turns round after each.

    Parameters
    ----------
    benchmark : str
    cells : mapping
        The sides of each cell.
    threads, rounds : int
    seconds : float
        That a block of calls takes.
    """
    times: Times = {cell: {side: [] for side in sides} for cell, sides in cells.items()}
    with ExitStack() as stack:
        names = dict.fromkeys(side for sides in cells.values() for side in sides)
        workers = [stack.enter_context(Worker(benchmark, side, threads, seconds)) for side in names]
        for index in range(rounds + 1):
            print(f"threads {threads}: round {index} of {rounds}", file=sys.stderr)
            for cell, sides in cells.items():
                for worker in workers if index % 2 else workers[::-1]:
                    if worker.side in sides:
                        time.sleep(PAUSE if threads == 1 else SPIN)
                        microseconds = worker.ask(cell=cell)
                        if index:  # the first round warms up
                            times[cell][worker.side].append(microseconds)
    return times

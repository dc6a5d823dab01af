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
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, TypeVar

from benchmarks import ROOT

ONE_SIDE = "benchmarks.harness.one_side"

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What OpenMP and the linear algebra libraries read when they are loaded."""

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
"""What slows OpenBLAS down where it is forced on it, and what lets Python compile npnets at every import."""

PAUSE = 0.03
"""Seconds between turns."""

SPIN = 0.15
"""The same with several threads: those of OpenBLAS and OpenMP spin for a while when their work is done. After 0.03 they
still took half of the next side's time, and the order of the sides could be read off the table."""

Times = dict[Any, dict[str, list[float]]]
"""Microseconds a call, by cell and side; one entry a round."""


Side = TypeVar("Side")


def unforced() -> dict[str, str]:
    """Return the environment of processes that are timed: without `FORCED`."""
    return {key: value for key, value in os.environ.items() if key not in FORCED}


class Ended(SystemExit):
    """A side's process ended before it returned anything."""


class Worker:
    """One side in a process of its own.

    Parameters
    ----------
    module : str
        What computes: `benchmarks.cpu.npnets_side`. `one_side.py` says what it has to have.
    name : str
        Of the side, for errors.
    threads : int, optional
        That the linear algebra may use; as many as it takes where there is none.
    seconds : float
        That a block of calls takes.
    """

    def __init__(self, module: str, name: str, threads: int | None = 1, seconds: float = 0.0) -> None:
        command = [sys.executable, "-m", ONE_SIDE, "--module", module, "--seconds", str(seconds)]
        environment = unforced()
        environment |= dict.fromkeys(THREADS, str(threads)) if threads else {}
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, cwd=ROOT
        )

    def ask(self, **request: Any) -> Any:
        """Send a request, and wait for what it returns."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Ended(f"error: {self.name} ended with status {self.process.wait()}; the reason stands above")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(BrokenPipeError), self.process:  # closes the pipes, and waits for the end
            pass


def in_turn(sides: Sequence[Side], index: int) -> Sequence[Side]:
    """Return the sides in the order of a round: turned round in every second one."""
    return sides[::-1] if index % 2 else sides


def take_turns(module: str, cells: Mapping[Any, Sequence[str]], threads: int, rounds: int, seconds: float) -> Times:
    """Time every cell on each of its sides in every round; the order of the sides turns round after each.

    Parameters
    ----------
    module : str
        Of a side, with `{}` in place of its name.
    cells : mapping
        The sides of each cell.
    threads, rounds : int
    seconds : float
        That a block of calls takes.
    """
    times: Times = {cell: {side: [] for side in sides} for cell, sides in cells.items()}
    with ExitStack() as stack:
        names = dict.fromkeys(side for sides in cells.values() for side in sides)
        workers = [stack.enter_context(Worker(module.format(side), side, threads, seconds)) for side in names]
        for index in range(rounds + 1):
            print(f"threads {threads}: round {index} of {rounds}", file=sys.stderr)
            for cell, sides in cells.items():
                for worker in in_turn([worker for worker in workers if worker.name in sides], index):
                    time.sleep(PAUSE if threads == 1 else SPIN)
                    microseconds = worker.ask(microseconds=cell)
                    if index:  # the first round warms up
                        times[cell][worker.name].append(microseconds)
    return times

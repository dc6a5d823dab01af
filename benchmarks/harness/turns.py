"""Processes that take turns: each side of a benchmark has its own, which waits while another works.

In one process the sides' threads would disturb each other. `harness/one_side.py` is the program of these processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, TypeVar

from benchmarks import ROOT

ONE_SIDE = "benchmarks.harness.one_side"

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that OpenMP and the linear algebra libraries read when they are loaded."""

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
"""Variables that force slower OpenBLAS kernels, or prevent Python from caching bytecode."""

PAUSE = 0.03
"""Seconds between turns."""

SPIN = 0.15
"""Seconds between turns with several threads: those of OpenBLAS and OpenMP spin for a while after their work.

After 0.03 seconds they still took half of the next side's time, and the results depended on the order of the sides.
"""

Times = dict[Any, dict[str, list[float]]]
"""Microseconds per call, by cell and side; one entry for each round."""


Side = TypeVar("Side")


def unforced() -> dict[str, str]:
    """Return the environment of timed processes, without the variables in `FORCED`."""
    return {key: value for key, value in os.environ.items() if key not in FORCED}


class Ended(SystemExit):
    """A side's process ended before it returned a result."""


class Worker:
    """One side in its own process.

    Parameters
    ----------
    module : str
        The module of the side, such as `benchmarks.cpu.npnets_side`; `one_side.py` describes its interface.
    name : str
        Name of the side, for errors.
    threads : int, optional
        Number of threads of the linear algebra libraries; by default, their own choice.
    seconds : float
        Duration of a block of calls.
    environment : mapping, optional
        Variables of the process beside those of this one.
    """

    def __init__(
        self,
        module: str,
        name: str,
        threads: int | None = 1,
        seconds: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", ONE_SIDE, "--module", module, "--seconds", str(seconds)]
        variables = {**unforced(), **(environment or {})}
        variables |= dict.fromkeys(THREADS, str(threads)) if threads else {}
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, text=True, cwd=ROOT
        )

    def call(self, **request: Any) -> Any:
        """Send a request, and wait for its result."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Ended(f"error: {self.name} ended with status {self.process.wait()}; its error is printed above")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(BrokenPipeError), self.process:  # closes the pipes, and waits for the end
            pass


def in_turn(sides: Sequence[Side], index: int) -> Sequence[Side]:
    """Return the sides in the order of a round: reversed in every second round."""
    return sides[::-1] if index % 2 else sides


def take_turns(
    start: Callable[[str, int, float], Worker],
    cells: Mapping[Any, Sequence[str]],
    threads: int,
    rounds: int,
    seconds: float,
) -> Times:
    """Time every cell on each of its sides in every round; the order of the sides is reversed after each.

    Parameters
    ----------
    start : callable
        From the name of a side, the number of threads and the seconds of a block to the side's process.
    cells : mapping
        The sides of each cell.
    threads, rounds : int
    seconds : float
        Duration of a block of calls.
    """
    times: Times = {cell: {side: [] for side in sides} for cell, sides in cells.items()}
    with ExitStack() as stack:
        names = dict.fromkeys(side for sides in cells.values() for side in sides)
        workers = [stack.enter_context(start(side, threads, seconds)) for side in names]
        for index in range(rounds + 1):
            print(f"threads {threads}: round {index} of {rounds}", file=sys.stderr)
            for cell, sides in cells.items():
                for worker in in_turn([worker for worker in workers if worker.name in sides], index):
                    time.sleep(PAUSE if threads == 1 else SPIN)
                    microseconds = worker.call(microseconds=cell)
                    if index:  # the first round warms up
                        times[cell][worker.name].append(microseconds)
    return times

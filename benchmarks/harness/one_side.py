"""One side of a benchmark, in a process of its own: answers one request a line until there are none.

    python -m benchmarks.harness.one_side --benchmark recurrent --side npnets --threads 1

computes the cells of `cpu/recurrent_problem.py` as `cpu/recurrent_npnets.py` does. A request is JSON of one entry;
`REQUESTS` lists them. Started by `harness/turns.py`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.harness.clock import HostClock, time_block, warm_up
from benchmarks.harness.resident_memory import forget_peak, resident_memory

AGAIN = 0.2
"""The share of a block's calls that go before it untimed: after a pause caches, branches and threads are cold."""

BENCHMARKS = {
    "speed": ("benchmarks.cpu.cells", "benchmarks.cpu.{}_side"),
    "recurrent": ("benchmarks.cpu.recurrent_problem", "benchmarks.cpu.recurrent_{}"),
}
"""The module of a benchmark's cells, and that of a side."""

LONG = 1.0
"""Seconds from which a single call, after a first one, is timing enough of what is measured once."""


class Side:
    """A library that computes the cells of a benchmark."""

    def __init__(self, options: argparse.Namespace) -> None:
        cells, side = BENCHMARKS[options.benchmark]
        self.make_cell = importlib.import_module(cells).Cell
        self.library = importlib.import_module(side.format(options.side))
        self.seconds, self.clock = options.seconds, HostClock()
        self.warm: dict[Any, tuple[Callable[[], Any], int]] = {}

    def microseconds(self, cell: list[Any]) -> float:
        """Return what a call takes on the average of one block of calls; each is made and warmed up once."""
        key = self.make_cell(*cell)
        if key not in self.warm:
            call = self.library.make(key)
            self.warm[key] = call, max(3, warm_up(call, self.clock, self.seconds))
        call, calls = self.warm[key]
        for _ in range(max(1, round(AGAIN * calls))):
            call()
        return time_block(call, calls, self.clock).wall

    def cost(self, cell: list[Any]) -> dict[str, float] | None:
        """Return what a cell costs where it may be too large for the memory; None if it is.

        `microseconds` a call; bytes of the process: `before` the cell is made, the `most` while it is, and the `peak`
        of the calls.
        """
        before, _ = resident_memory()
        try:
            call = self.library.make(self.make_cell(*cell))
            _, most = resident_memory()
            forget_peak()
            microseconds = self._once(call)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "allocate" not in str(error):  # what PyTorch says
                raise
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return None
        return {"microseconds": microseconds, "before": before, "most": most, "peak": resident_memory()[1]}

    def _once(self, call: Callable[[], Any]) -> float:
        """Return what a call takes: the least of three blocks of calls, or where calls are long, the second call."""
        call()
        block = time_block(call, 1, self.clock)
        if block.wall > LONG * 1e6:
            return block.wall
        calls = warm_up(call, self.clock, self.seconds)
        return min(time_block(call, calls, self.clock).wall for _ in range(3))

    def resident(self, cell: list[Any]) -> int:
        """Return the bytes that the process holds after it computed a cell once."""
        self.library.make(self.make_cell(*cell))()
        return resident_memory()[0]

    def write_outcomes(self, request: tuple[str, list[Any]]) -> None:
        """Write what cells compute, in arrays named `size/workload/what`."""
        import numpy as np

        file, cells = request
        found = {f"{cell.size}/{cell.workload}": self.library.outcome(cell) for cell in map(self._cell, cells)}
        np.savez(file, **{f"{cell}/{name}": a for cell, parts in found.items() for name, a in parts.items()})

    def memory(self, cell: list[Any]) -> Any:
        """Return the bytes that a gradient keeps, as the side tells them."""
        return self.library.memory(self.make_cell(*cell))

    def facts(self, _: bool) -> dict[str, str]:
        """Return versions."""
        return self.library.facts()  # type: ignore[no-any-return]

    def _cell(self, cell: list[Any]) -> Any:
        return self.make_cell(*cell)


REQUESTS = {
    "cell": Side.microseconds,
    "cost": Side.cost,
    "resident": Side.resident,
    "outcomes": Side.write_outcomes,
    "memory": Side.memory,
    "facts": Side.facts,
}


def limit(threads: int) -> None:
    """Hold to a number of threads what is imported after this: OpenMP and the linear algebra libraries read it then."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)


def main() -> None:
    """Answer until the requests end."""
    parser = argparse.ArgumentParser(description="Compute one side's cells; started by a side-by-side.")
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--side", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.05, help="that a block of calls takes")
    options = parser.parse_args()
    limit(options.threads)  # nothing above imports NumPy
    side = Side(options)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(options.threads)
    for line in sys.stdin:
        ((name, value),) = json.loads(line).items()
        print(json.dumps(REQUESTS[name](side, value)), flush=True)


if __name__ == "__main__":
    main()

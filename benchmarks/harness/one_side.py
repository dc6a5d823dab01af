"""The process of one side of a benchmark: it serves one request for each line of its input.

    python -m benchmarks.harness.one_side --module benchmarks.cpu.npnets_side

A request is a JSON object with one entry. The methods of `Side` serve requests for cells, through the module's `Cell`,
`make` (which returns the call that is timed) and `outcome` (which returns its results as arrays by name). Any other
request calls a function of the module with the arguments in the entry. `turns.py` starts the process and sets the
numbers of threads.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness.clock import HostClock, time_block, warm_up
from benchmarks.harness.resident_memory import forget_peak, resident_memory

AGAIN = 0.2
"""Untimed calls before a block, as a fraction of its calls: after a pause, caches and threads are cold."""

QUIET = 0.1
"""Seconds of rest before a block: threads of BLAS and OpenMP in the process before keep a core busy for a while."""

LONG = 1.0
"""Duration in seconds from which a single call, after a first one, is timed instead of a block."""


class Side:
    """A module that computes one side of a benchmark."""

    def __init__(self, module: str, seconds: float) -> None:
        self.module = importlib.import_module(module)
        self.seconds, self.clock = seconds, HostClock()
        self.warm: dict[Any, tuple[Callable[[], Any], int]] = {}

    def serve(self, request: dict[str, Any]) -> Any:
        """Return the result of a request."""
        ((name, value),) = request.items()
        if name in CELLS:
            return CELLS[name](self, self.module.Cell(*value))
        return self.write_outcomes(*value) if name == "outcomes" else getattr(self.module, name)(**value)

    def microseconds(self, cell: Any) -> float:
        """Return the mean time of a call in one block; a cell's call is created and warmed up once."""
        if cell not in self.warm:
            call = self.module.make(cell)
            self.warm[cell] = call, max(3, warm_up(call, self.clock, self.seconds))
        call, calls = self.warm[cell]
        time.sleep(QUIET)
        for _ in range(max(1, round(AGAIN * calls))):
            call()
        return time_block(call, calls, self.clock).wall

    def cost(self, cell: Any) -> dict[str, float] | None:
        """Return the cost of a cell, or None if it does not fit into memory.

        The cost has the `microseconds` of a call, and bytes of the process: `before` the cell is created, the `most`
        during its creation, and the `peak` of the calls.
        """
        before, _ = resident_memory()
        try:
            call = self.module.make(cell)
            _, most = resident_memory()
            forget_peak()
            microseconds = self._once(call)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "allocate" not in str(error):  # PyTorch's message
                raise
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return None
        return {"microseconds": microseconds, "before": before, "most": most, "peak": resident_memory()[1]}

    def _once(self, call: Callable[[], Any]) -> float:
        """Return the time of a call: the minimum over three blocks, or that of the second call if calls are long."""
        call()
        block = time_block(call, 1, self.clock)
        if block.wall > LONG * 1e6:
            return block.wall
        calls = warm_up(call, self.clock, self.seconds)
        return min(time_block(call, calls, self.clock).wall for _ in range(3))

    def resident(self, cell: Any) -> int:
        """Return the resident bytes of the process after computing a cell once."""
        self.module.make(cell)()
        return resident_memory()[0]

    def memory(self, cell: Any) -> Any:
        """Return the bytes of a gradient, measured by the side's module."""
        return self.module.memory(cell)

    def write_outcomes(self, file: str, cells: list[Any]) -> None:
        """Write the results of cells, as arrays named `size/workload/name`."""
        import numpy as np

        found: dict[str, Any] = {}
        for cell in (self.module.Cell(*cell) for cell in cells):
            arrays = self.module.outcome(cell)
            found |= {f"{cell.size}/{cell.workload}/{name}": array for name, array in arrays.items()}
        np.savez(file, **found)


CELLS: dict[str, Callable[[Side, Any], Any]] = {
    "microseconds": Side.microseconds,
    "cost": Side.cost,
    "resident": Side.resident,
    "memory": Side.memory,
}
"""The requests for one cell."""


def main() -> None:
    """Serve requests until they end."""
    parser = argparse.ArgumentParser(description="Compute one side of a benchmark; started by the benchmark.")
    parser.add_argument("--module", required=True)
    parser.add_argument("--seconds", type=float, default=0.05, help="seconds of a block of calls")
    options = parser.parse_args()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # keeps output of libraries out of the replies
    try:
        side = Side(options.module, options.seconds)
        for line in sys.stdin:
            print(json.dumps(side.serve(json.loads(line))), file=replies, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

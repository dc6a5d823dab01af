"""One side of a benchmark, in a process of its own: serves one request a line until there are none.

    python -m benchmarks.harness.one_side --module benchmarks.cpu.npnets_side

A request is JSON of one entry. The methods of `Side` serve those for cells, with what the module has: `Cell`, `make`
(the call that is timed) and `outcome` (what it computes, in arrays by name). Any other request is a function of the
module, called with the arguments in the entry. Started by `turns.py`, which sets the numbers of threads.
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
"""The part of a block's calls that go before it untimed: after a pause caches, branches and threads are cold."""

LONG = 1.0
"""Seconds from which a single call, after a first one, is timing enough of what is measured once."""


class Side:
    """A module that computes one side of a benchmark."""

    def __init__(self, module: str, seconds: float) -> None:
        self.module = importlib.import_module(module)
        self.seconds, self.clock = seconds, HostClock()
        self.warm: dict[Any, tuple[Callable[[], Any], int]] = {}

    def serve(self, request: dict[str, Any]) -> Any:
        """Return what a request asks for."""
        ((name, value),) = request.items()
        if name in CELLS:
            return CELLS[name](self, self.module.Cell(*value))
        return self.write_outcomes(*value) if name == "outcomes" else getattr(self.module, name)(**value)

    def microseconds(self, cell: Any) -> float:
        """Return what a call takes on the average of one block of calls; each is made and warmed up once."""
        if cell not in self.warm:
            call = self.module.make(cell)
            self.warm[cell] = call, max(3, warm_up(call, self.clock, self.seconds))
        call, calls = self.warm[cell]
        for _ in range(max(1, round(AGAIN * calls))):
            call()
        return time_block(call, calls, self.clock).wall

    def cost(self, cell: Any) -> dict[str, float] | None:
        """Return what a cell costs where it may be too large for the memory; None if it is.

        `microseconds` a call; bytes of the process: `before` the cell is made, the `most` while it is, and the `peak`
        of the calls.
        """
        before, _ = resident_memory()
        try:
            call = self.module.make(cell)
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

    def resident(self, cell: Any) -> int:
        """Return the bytes that the process holds after it computed a cell once."""
        self.module.make(cell)()
        return resident_memory()[0]

    def memory(self, cell: Any) -> Any:
        """Return the bytes that a gradient keeps, as the side tells them."""
        return self.module.memory(cell)

    def write_outcomes(self, file: str, cells: list[Any]) -> None:
        """Write what cells compute, in arrays named `size/workload/what`."""
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
"""The requests about one cell."""


def main() -> None:
    """Serve requests until they end."""
    parser = argparse.ArgumentParser(description="Compute one side of a benchmark; started by the benchmark.")
    parser.add_argument("--module", required=True)
    parser.add_argument("--seconds", type=float, default=0.05, help="that a block of calls takes")
    options = parser.parse_args()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no reply
    try:
        side = Side(options.module, options.seconds)
        for line in sys.stdin:
            print(json.dumps(side.serve(json.loads(line))), file=replies, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

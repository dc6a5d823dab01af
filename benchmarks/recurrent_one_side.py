"""One side of `recurrent_side_by_side.py`, in a process of its own: answers one request a line until there are none.

A request is JSON: `{"cell": [...]}` is answered with the microseconds a call takes, `{"memory": [...]}` with bytes,
`{"facts": true}` with versions, `{"outcomes": "file.npz"}` by writing what all cells compute.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from gpu_clock import HostClock, time_block, warm_up

SIDES = {"npnets": "recurrent_npnets", "tianshou": "recurrent_tianshou", "products": "recurrent_products"}

AGAIN = 0.2
"""The share of a block's calls that go before it untimed: after a pause caches, branches and threads are cold."""


class Stopwatch:
    """Times a side's calls, each made and warmed up once."""

    def __init__(self, side: Any, seconds: float) -> None:
        self.side, self.seconds, self.clock = side, seconds, HostClock()
        self.warm: dict[Any, tuple[Callable[[], Any], int]] = {}

    def microseconds(self, cell: Any) -> float:
        """Return what a call takes on the average of one block of calls."""
        if cell not in self.warm:
            call = self.side.make(cell)
            self.warm[cell] = call, max(3, warm_up(call, self.clock, self.seconds))
        call, calls = self.warm[cell]
        for _ in range(max(1, round(AGAIN * calls))):
            call()
        return time_block(call, calls, self.clock).wall


def answer(request: dict[str, Any], side: Any, stopwatch: Stopwatch) -> Any:
    """Do what is asked for."""
    import numpy as np
    from recurrent_problem import CELLS, Cell

    if "cell" in request:
        return stopwatch.microseconds(Cell(*request["cell"]))
    if "memory" in request:
        return side.memory(Cell(*request["memory"]))
    if "facts" in request:
        return side.facts()
    found = {f"{cell.size}/{cell.workload}": side.outcome(cell) for cell in CELLS}
    np.savez(request["outcomes"], **{f"{cell}/{name}": a for cell, parts in found.items() for name, a in parts.items()})
    return None


def main() -> None:
    """Answer until the requests end."""
    parser = argparse.ArgumentParser(description="Time one side's recurrent networks; started by the side-by-side.")
    parser.add_argument("--side", choices=SIDES, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.05, help="that a block of calls takes")
    options = parser.parse_args()
    # Read by the linear algebra libraries when they are loaded, which is why nothing above imports NumPy.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    side = importlib.import_module(SIDES[options.side])
    if options.side == "tianshou":
        importlib.import_module("torch").set_num_threads(options.threads)
    stopwatch = Stopwatch(side, options.seconds)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), side, stopwatch)), flush=True)


if __name__ == "__main__":
    main()

"""One side of the GPU benchmark: times its workloads, or writes their results.

`side_by_side.py` calls these functions for each side in turn, in separate processes. For each workload and batch, times
are medians over several blocks, in microseconds per call: `wall_us` is wall-clock time, with the device idle before and
after the block; `device_us` is the time between CUDA events around the block (null on the CPU).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.gpu.sides import Side, load
from benchmarks.harness.clock import median_block


def time_all(
    name: str, device: str, workloads: Sequence[str], batches: Sequence[int], seconds: float, blocks: int
) -> dict[str, Any]:
    """Time every workload at every batch."""
    side, times = _loaded(name, device), []
    for batch in batches:
        for workload in workloads:
            medians = median_block(side.make(workload, batch), side.clock, seconds, blocks)
            times.append({"workload": workload, "batch": batch, **medians})
    return {"facts": side.facts, "times": times}


def write_outcomes(name: str, device: str, workloads: Sequence[str], batches: Sequence[int], file: str) -> None:
    """Write the results of every workload at every batch, as arrays named `batch/workload/name`."""
    side = _loaded(name, device)
    cases = [(batch, workload) for batch in batches for workload in workloads]
    outcomes = {f"{batch}/{workload}": side.make(workload, batch).outcome() for batch, workload in cases}
    np.savez(file, **{f"{case}/{what}": array for case, found in outcomes.items() for what, array in found.items()})


def _loaded(name: str, device: str) -> Side:
    try:
        return load(name, device)
    except RuntimeError as error:
        sys.exit(f"error: {error}")

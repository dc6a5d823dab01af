"""One side of the GPU benchmark: time its workloads, or write down what they compute.

`side_by_side.py` calls these for each side in turn, in a process of its own. Timed are, for each workload and batch,
the medians over several blocks of calls of the microseconds that a call takes: `wall_us` on the wall's clock, with the
device idle before and after the block, and `device_us` between CUDA events around it (null on the CPU).
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
    """Write what every workload computes at every batch, in arrays named `batch/workload/what`."""
    side = _loaded(name, device)
    cases = [(batch, workload) for batch in batches for workload in workloads]
    outcomes = {f"{batch}/{workload}": side.make(workload, batch).outcome() for batch, workload in cases}
    np.savez(file, **{f"{case}/{what}": array for case, found in outcomes.items() for what, array in found.items()})


def _loaded(name: str, device: str) -> Side:
    try:
        return load(name, device)
    except RuntimeError as error:
        sys.exit(f"error: {error}")

"""Time one side's workloads, or write down what they compute; `gpu/side_by_side.py` calls this for each side in turn.

    python -m benchmarks.gpu.one_side --side npnets --device cuda --batches 256 4096

Prints JSON: versions, and for each workload and batch the medians, over several blocks of calls, of the microseconds
that a call takes: `wall_us` on the wall's clock, with the device idle before and after the block, and `device_us`
between CUDA events around it (null on the CPU).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.sides import SIDES, Side, add_options, add_timing_options, load
from benchmarks.harness.clock import median_block


def time_all(side: Side, options: argparse.Namespace) -> dict[str, Any]:
    """Time every workload at every batch."""
    times = []
    for batch in options.batches:
        for name in options.workloads:
            medians = median_block(side.make(name, batch), side.clock, options.seconds, options.blocks)
            times.append({"workload": name, "batch": batch, **medians})
    return {"side": options.side, "device": options.device, "facts": side.facts, "times": times}


def write_outcomes(side: Side, options: argparse.Namespace) -> None:
    """Write what every workload computes at every batch, in arrays named `batch/workload/what`."""
    cases = [(batch, name) for batch in options.batches for name in options.workloads]
    outcomes = {f"{batch}/{name}": side.make(name, batch).outcome() for batch, name in cases}
    np.savez(options.outcomes, **{f"{case}/{what}": a for case, found in outcomes.items() for what, a in found.items()})


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time one side's workloads.")
    parser.add_argument("--side", choices=SIDES, required=True)
    add_options(parser)
    add_timing_options(parser)
    parser.add_argument("--outcomes", type=Path, help=".npz file to write what is computed to, instead of timing it")
    return parser.parse_args()


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    try:
        side = load(options.side, options.device)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    if options.outcomes:
        write_outcomes(side, options)
    else:
        print(json.dumps(time_all(side, options), indent=2))


if __name__ == "__main__":
    main()

"""Times of networks, gradients and learning steps on one GPU: npnets with CuPy compared with PyTorch.

    pip install -e '.[examples,cuda13]' torch         # cuda12 for a CUDA 12 driver
    python -m benchmarks.gpu.side_by_side --check     # compares the results of both
    python -m benchmarks.gpu.side_by_side             # times both, writes runs/benchmarks

Each library has its own process. The processes take turns in several rounds, and their order is reversed after each.
Both compute in float32 without TF32, with the same parameters and data, which are on the device from the start.
`--device cpu` does the same with NumPy and PyTorch on the CPU. CUDA_VISIBLE_DEVICES chooses among several GPUs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from typing import Any

from benchmarks.gpu.results import rows, times_table
from benchmarks.gpu.sides import RIVALS, add_options
from benchmarks.harness.differences import Outcomes, differences_table, outcomes
from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show
from benchmarks.harness.turns import Worker, in_turn
from examples.shared.command_line import at_least

NAME = "gpu_side_by_side"
ONE_SIDE = "benchmarks.gpu.one_side"

FULL = {"rounds": 5, "seconds": 0.1, "blocks": 7}
QUICK = {"rounds": 1, "seconds": 0.01, "blocks": 3}


def common_arguments(side: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that both requests to a side share."""
    return {"name": side, "device": options.device, "workloads": options.workloads, "batches": options.batches}


def time_rounds(record: Record, options: argparse.Namespace) -> None:
    """Time both sides in every round, and write the results after each."""
    rounds: list[dict[str, Any]] = []
    for index in range(options.rounds):
        reports = {}
        for side in in_turn(("npnets", options.against), index):
            print(f"round {index + 1} of {options.rounds}: {side}", file=sys.stderr)
            request = {**common_arguments(side, options), "seconds": options.seconds, "blocks": options.blocks}
            with Worker(ONE_SIDE, side, threads=None) as worker:
                reports[side] = worker.call(time_all=request)
        rounds.append({side: reports[side]["times"] for side in ("npnets", options.against)})
        facts = {**driver(), **reports[options.against]["facts"], **reports["npnets"]["facts"]}
        record.write({"against": options.against, "facts": facts, "rows": rows(rounds), "rounds": rounds})


def check(options: argparse.Namespace) -> bool:
    """Compare both sides' results, print the differences, and return whether they are within the tolerance."""
    lines, same = differences_table(*(computed(side, options) for side in ("npnets", options.against)))
    print("\n".join(lines))
    return same


def computed(side: str, options: argparse.Namespace) -> Outcomes:
    """Return a side's results, by batch, workload and name."""
    with Worker(ONE_SIDE, side, threads=None) as worker:
        return outcomes(lambda file: worker.call(write_outcomes={**common_arguments(side, options), "file": file}))


def driver() -> dict[str, str]:
    """Return the output of nvidia-smi about the GPUs and their driver."""
    if not shutil.which("nvidia-smi"):
        return {}
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return {"nvidia-smi": "; ".join(subprocess.run(query, capture_output=True, text=True).stdout.splitlines())}


def report(found: dict[str, Any], _: argparse.Namespace) -> None:
    """Print the GPUs, the versions and the table."""
    print(*(f"{name}: {value}" for name, value in found["facts"].items()), "", sep="\n")
    print(*times_table(found["rows"]), sep="\n")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Compare npnets with PyTorch on one GPU.")
    add_options(parser)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, help="seconds of a block of calls; default: 0.1")
    parser.add_argument("--blocks", type=at_least(1), help="default: 7")
    parser.add_argument("--rounds", type=at_least(1), help="default: 5")
    parser.add_argument("--against", choices=RIVALS, default=RIVALS[0], help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="compare the results of both sides, without timing")
    options = parse(parser, FULL, QUICK)
    if options.check:
        sys.exit(0 if check(options) else "error: the results of the two sides differ")
    measure_and_show(NAME, options, time_rounds, report)


if __name__ == "__main__":
    main()

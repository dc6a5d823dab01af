"""Networks, gradients and learning steps on npnets with CuPy and on PyTorch, side by side on one GPU.

    pip install -e '.[examples,cuda13]' torch         # cuda12 for a CUDA 12 driver
    python -m benchmarks.gpu.side_by_side --check     # do both compute the same?
    python -m benchmarks.gpu.side_by_side             # how long do they take? Into runs/benchmarks

Each side in a process of its own, the processes in turn, several rounds, the order turned round after each. Both
compute in float32 without TF32, on the same parameters and data, which lie on the device from the start. `--device
cpu` does all this with NumPy and PyTorch on the CPU. CUDA_VISIBLE_DEVICES chooses among several GPUs.
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


def asked(side: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what both requests to a side say."""
    return {"name": side, "device": options.device, "workloads": options.workloads, "batches": options.batches}


def time_rounds(record: Record, options: argparse.Namespace) -> None:
    """Time both sides in every round, and write down what there is after each."""
    rounds: list[dict[str, Any]] = []
    for index in range(options.rounds):
        reports = {}
        for side in in_turn(("npnets", options.against), index):
            print(f"round {index + 1} of {options.rounds}: {side}", file=sys.stderr)
            request = {**asked(side, options), "seconds": options.seconds, "blocks": options.blocks}
            with Worker(ONE_SIDE, side, threads=None) as worker:
                reports[side] = worker.ask(time_all=request)
        rounds.append({side: reports[side]["times"] for side in ("npnets", options.against)})
        facts = {**driver(), **reports[options.against]["facts"], **reports["npnets"]["facts"]}
        record.write({"against": options.against, "facts": facts, "rows": rows(rounds), "rounds": rounds})


def check(options: argparse.Namespace) -> bool:
    """Compare what both sides compute, print the differences, and return whether they are small enough."""
    lines, same = differences_table(*(computed(side, options) for side in ("npnets", options.against)))
    print("\n".join(lines))
    return same


def computed(side: str, options: argparse.Namespace) -> Outcomes:
    """Return what a side computes, by batch, workload and name."""
    with Worker(ONE_SIDE, side, threads=None) as worker:
        return outcomes(lambda file: worker.ask(write_outcomes={**asked(side, options), "file": file}))


def driver() -> dict[str, str]:
    """Return what NVIDIA's tool says of the cards and their driver."""
    if not shutil.which("nvidia-smi"):
        return {}
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return {"nvidia-smi": "; ".join(subprocess.run(query, capture_output=True, text=True).stdout.splitlines())}


def report(found: dict[str, Any], _: argparse.Namespace) -> None:
    """Print the cards and versions, and the table."""
    print(*(f"{name}: {value}" for name, value in found["facts"].items()), "", sep="\n")
    print(*times_table(found["rows"]), sep="\n")


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description="Compare npnets with PyTorch on one GPU.")
    add_options(parser)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, help="that a block of calls takes; default: 0.1")
    parser.add_argument("--blocks", type=at_least(1), help="default: 7")
    parser.add_argument("--rounds", type=at_least(1), help="default: 5")
    parser.add_argument("--against", choices=RIVALS, default=RIVALS[0], help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="compare what both compute, and time nothing")
    options = parse(parser, FULL, QUICK)
    if options.check:
        sys.exit(0 if check(options) else "error: the two sides do not compute the same")
    measure_and_show(NAME, options, time_rounds, report)


if __name__ == "__main__":
    main()

"""Networks, gradients and learning steps on npnets with CuPy and on PyTorch, side by side on one GPU.

    pip install -e '.[cuda13]' torch      # cuda12 for a CUDA 12 driver
    python -m benchmarks.gpu.side_by_side --check     # do both compute the same?
    python -m benchmarks.gpu.side_by_side             # how long do they take?

Each side in a process of its own, the processes in turn, several rounds, the order turned round after each. Both
compute in float32 without TF32, on the same parameters and data, which lie on the device from the start. `--device
cpu` does all this with NumPy and PyTorch on the CPU. CUDA_VISIBLE_DEVICES chooses among several GPUs.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.gpu.results import Report, differences_table, times_table
from benchmarks.gpu.sides import RIVALS, add_options, add_timing_options, positive

ONE_SIDE = "benchmarks.gpu.one_side"


def run(side: str, options: argparse.Namespace, *more: str) -> str:
    """Run one side in a process of its own; what it prints."""
    command = [sys.executable, "-m", ONE_SIDE, "--side", side, "--device", options.device, *more]
    command += ["--seconds", str(options.seconds), "--blocks", str(options.blocks), "--workloads", *options.workloads]
    command += ["--batches", *(str(batch) for batch in options.batches)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if finished.returncode:
        sys.exit(f"{side} ended with status {finished.returncode}; the reason stands above")
    return finished.stdout


def time_rounds(options: argparse.Namespace) -> list[tuple[Report, Report]]:
    """Time both sides in every round."""
    rounds = []
    for index in range(options.rounds):
        sides = ("npnets", options.against)
        reports = {}
        for side in sides if index % 2 == 0 else sides[::-1]:
            print(f"round {index + 1} of {options.rounds}: {side}", file=sys.stderr)
            reports[side] = json.loads(run(side, options))
        rounds.append((reports["npnets"], reports[options.against]))
    return rounds


def check(options: argparse.Namespace) -> bool:
    """Compare what both sides compute, print the differences, and return whether they are small enough."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = []
        for side in ("npnets", options.against):
            file = Path(folder) / f"{side}.npz"
            run(side, options, "--outcomes", str(file))
            with np.load(file) as arrays:
                outcomes.append(dict(arrays))
    lines, same = differences_table(*outcomes)
    print("\n".join(lines))
    return same


def machine() -> dict[str, str]:
    """What neither side tells: the interpreter, the processor, and the card's driver."""
    facts = {"python": platform.python_version(), "processor": _processor()}
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        facts["nvidia-smi"] = "; ".join(subprocess.run(query, capture_output=True, text=True).stdout.splitlines())
    return facts


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare npnets with PyTorch on one GPU.")
    add_options(parser)
    add_timing_options(parser)
    parser.add_argument("--rounds", type=positive, default=5, help="default: %(default)s")
    parser.add_argument("--against", choices=RIVALS, default=RIVALS[0], help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="compare what both compute, and time nothing")
    parser.add_argument("--json", type=Path, help="file to write every round's times to")
    return parser.parse_args()


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    if options.check:
        sys.exit(0 if check(options) else "error: the two sides do not compute the same")
    rounds = time_rounds(options)
    facts = machine() | rounds[0][1]["facts"] | rounds[0][0]["facts"]
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), end="\n\n")
    print("\n".join(times_table(rounds)))
    if options.json:
        options.json.write_text(json.dumps({"facts": facts, "rounds": rounds}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

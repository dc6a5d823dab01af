"""The BCQ example on npnets and on Tianshou 1.0.0 with PyTorch, side by side: returns and training times.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python -m benchmarks.learning.bcq_side_by_side --seeds 0 1 2 --threads 1 2

Equal data, settings, seeds, steps and evaluation; every run in a process of its own, the libraries in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import ROOT

ONE_SIDE = "benchmarks.learning.bcq_one_side"
LIBRARIES = ("npnets", "tianshou")


def run(library: str, seed: int, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run one library once in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", ONE_SIDE, library, "--seed", str(seed), "--threads", str(threads)]
        command += ["--episodes", str(options.episodes), "--json", str(answer)]
        if options.steps:
            command += ["--steps", str(options.steps)]
        # A core type that is forced on OpenBLAS slows it down; timings are taken without.
        environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
        subprocess.run(command, check=True, env=environment, cwd=ROOT)
        return json.loads(answer.read_text())  # type: ignore[no-any-return]


def print_table(results: list[dict[str, Any]]) -> None:
    """Print one row for each seed and number of threads, then the median ratio of times."""
    print(f"\n{'threads':>7}{'seed':>6}{'return npnets':>20}{'return Tianshou':>20}", end="")
    print(f"{'s npnets':>10}{'s Tianshou':>12}{'ratio':>8}")
    ratios: dict[int, list[float]] = {}
    for ours, theirs in zip(results[::2], results[1::2], strict=True):
        ratio = ours["train_seconds"] / theirs["train_seconds"]
        ratios.setdefault(ours["threads"], []).append(ratio)
        scores = [f"{r['return_mean']:.1f} +- {r['return_standard_error']:.1f}" for r in (ours, theirs)]
        seconds = f"{ours['train_seconds']:>10.1f}{theirs['train_seconds']:>12.1f}{ratio:>8.2f}"
        print(f"{ours['threads']:>7}{ours['seed']:>6}{scores[0]:>20}{scores[1]:>20}{seconds}")
    for threads, values in ratios.items():
        print(f"median ratio of training times, npnets to Tianshou, {threads} threads: {statistics.median(values):.2f}")


def main() -> None:
    """Run all that the command line asks for."""
    parser = argparse.ArgumentParser(description="Compare the BCQ example on npnets and on Tianshou.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, help="default: the example's")
    parser.add_argument("--episodes", type=int, default=30)
    options = parser.parse_args()
    results = []
    for threads in options.threads:
        for seed in options.seeds:
            results += [run(library, seed, threads, options) for library in LIBRARIES]
    print_table(results)


if __name__ == "__main__":
    main()

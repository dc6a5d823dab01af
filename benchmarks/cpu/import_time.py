"""How long `import npnets` takes, against what it stands on: NumPy and autograd.

    python -m benchmarks.cpu.import_time            # into runs/benchmarks/import_time.json

Each import in a process of its own, in turn; medians and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks import ROOT
from benchmarks.harness.options import parse
from benchmarks.harness.ratios import spread
from benchmarks.harness.record import Record, explained, read, show_header
from examples.shared.command_line import at_least

NAME = "import_time"
BELOW, OURS = "numpy and autograd", "npnets"
IMPORTS = {BELOW: "import numpy, autograd", OURS: "import npnets"}

Cost = tuple[float, int]
"""Seconds, and the bytes that the process then holds."""


def cost(statement: str) -> Cost:
    """Return what one import costs in a fresh process."""
    code = (
        f"import time; began = time.perf_counter(); {statement}; seconds = time.perf_counter() - began; "
        "import json; from benchmarks.harness import resident_memory; "
        "print(json.dumps([seconds, resident_memory.resident_memory()[0]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    seconds, held = json.loads(done.stdout)
    return seconds, held


def costs(imports: Mapping[str, str], rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of imports in turn, by name, without a first round, which fills the disk's cache."""
    found: dict[str, list[Cost]] = {name: [] for name in imports}
    for _ in range(rounds + 1):
        for name, statement in imports.items():
            found[name].append(cost(statement))
    return {name: values[1:] for name, values in found.items()}


def measure(rounds: int) -> dict[str, Any]:
    """Return the spread of each import's seconds, and the ratio of their medians."""
    found = {name: spread([seconds for seconds, _ in each]) for name, each in costs(IMPORTS, rounds).items()}
    ratio = found[OURS].median / found[BELOW].median
    seconds = {name: one.rounded(4) for name, one in found.items()}
    return {"rounds": rounds, "import_seconds": seconds, "ratio": round(ratio, 3)}


def main() -> None:
    """Print a line for each, and the ratio."""
    parser = argparse.ArgumentParser(description="Time the import of npnets.")
    parser.add_argument("--rounds", type=at_least(1), help="default: 31")
    options = parse(parser, {"rounds": 31}, {"rounds": 3})
    if not options.again:
        with explained(options.out):
            Record(NAME, options.out).write(measure(options.rounds))
    found = read(NAME, options.out)
    show_header(found)
    for name, seconds in found["results"]["import_seconds"].items():
        print(f"{name:<20}{seconds['median'] * 1e3:>8.1f} ms")
    print(f"{'ratio':<20}{found['results']['ratio']:>8.2f}")


if __name__ == "__main__":
    main()

"""How long `import npnets` takes, against what it stands on: NumPy and autograd.

    python -m benchmarks.cpu.import_time

Each import in a process of its own, in turn; medians and the ratio of the medians.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping

from benchmarks import ROOT

ROUNDS = 31
IMPORTS = {"numpy and autograd": "import numpy, autograd", "npnets": "import npnets"}

Cost = tuple[float, int]
"""Seconds, and the bytes that the process then holds."""


def cost(statement: str) -> Cost:
    """Return what one import costs in a fresh process."""
    code = (
        f"import time; began = time.perf_counter(); {statement}; seconds = time.perf_counter() - began; "
        f"import sys; sys.path.append({str(ROOT)!r}); import json; from benchmarks.harness import resident_memory; "
        "print(json.dumps([seconds, resident_memory.resident_memory()[0]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    seconds, held = json.loads(done.stdout)
    return seconds, held


def costs(imports: Mapping[str, str], rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of imports in turn, by name, without a first round, which fills the disk's cache."""
    found: dict[str, list[Cost]] = {name: [] for name in imports}
    for _ in range(rounds + 1):
        for name, statement in imports.items():
            found[name].append(cost(statement))
    return {name: values[1:] for name, values in found.items()}


def main() -> None:
    """Print a line for each, and the ratio."""
    found = costs(IMPORTS, ROUNDS)
    medians = {name: statistics.median(seconds for seconds, _ in values) for name, values in found.items()}
    for name, value in medians.items():
        print(f"{name:<20}{value * 1e3:>8.1f} ms")
    print(f"{'ratio':<20}{medians['npnets'] / medians['numpy and autograd']:>8.2f}")


if __name__ == "__main__":
    main()

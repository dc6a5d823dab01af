"""How long `import npnets` takes, against what it stands on: NumPy and autograd.

    python benchmarks/import_time.py

Each import in a process of its own, in turn; medians and the ratio of the medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 31
IMPORTS = {"numpy and autograd": "import numpy, autograd", "npnets": "import npnets"}


def seconds(statement: str) -> float:
    """Return how long one import takes in a fresh process."""
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print a line for each, and the ratio."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(ROUNDS + 1):
        for name, statement in IMPORTS.items():
            times[name].append(seconds(statement))
    # The first round fills the disk's cache.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:<20}{value * 1e3:>8.1f} ms")
    print(f"{'ratio':<20}{medians['npnets'] / medians['numpy and autograd']:>8.2f}")


if __name__ == "__main__":
    main()

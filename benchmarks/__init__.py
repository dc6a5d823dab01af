"""The benchmarks: run one as a module from the root of the checkout, `python -m benchmarks.cpu.speed`.

Algorithms of the examples come from the package `examples`.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The root of the checkout, the working directory of all benchmark processes."""

"""The benchmarks: run one as a module from the root of the checkout, `python -m benchmarks.cpu.speed`.

What is measured of the examples is theirs, and comes from the package `examples` beside this one.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, from which every benchmark's processes are started."""

TRANSITIONS = ROOT / "examples" / "data" / "pendulum_mixed.npz"
"""The recorded transitions that BCQ learns from."""

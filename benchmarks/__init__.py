"""The benchmarks: run one as a module from the root of the checkout, `python -m benchmarks.cpu.speed`.

What is measured of the examples is theirs, and their folders are no packages: this is the one place that names them.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, from which every benchmark's processes are started."""

EXAMPLES = ROOT / "examples"
EXAMPLE_FOLDERS = (EXAMPLES,)
"""Where the algorithms, settings and evaluations are that benchmarks share with the examples."""

sys.path += [str(folder) for folder in EXAMPLE_FOLDERS if str(folder) not in sys.path]

"""Lets the tests of the examples import them: the checkout, where the package `examples` is, comes last on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

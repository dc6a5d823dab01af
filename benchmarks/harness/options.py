"""The options that all benchmarks share, and the defaults that `--quick` changes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.record import FOLDER


def parse(
    parser: argparse.ArgumentParser,
    full: Mapping[str, Any],
    quick: Mapping[str, Any],
    arguments: Sequence[str] | None = None,
) -> argparse.Namespace:
    """Add `--quick`, `--again` and `--out`, and read the command line.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        A parser with the command's own options.
    full, quick : mapping
        Default values of options, without and with `--quick`.
    arguments : sequence of str, optional
        Arguments to parse instead of the command line.
    """
    changed = ", ".join(f"{name} {_shown(value)}" for name, value in quick.items())
    parser.add_argument("--quick", action="store_true", help=f"a short run, for a first look: {changed}")
    parser.add_argument("--again", action="store_true", help="show the last results without measuring")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for results; default: %(default)s")
    parser.allow_abbrev = False  # result files contain the command, and `publish` reads its options
    options = parser.parse_args(arguments)
    for name, value in {**full, **(quick if options.quick else {})}.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)

"""A table of the largest relative differences between two sides' arrays, which are named `size/workload/name`."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

Outcomes = Mapping[str, Array]
"""The results of a side, by name."""

TOLERANCE = 1e-4
"""Largest difference between two sides, relative to the array's norm; TF32 in one of them would exceed it."""


def outcomes(write: Callable[[str], Any]) -> dict[str, Array]:
    """Return the results of a side, which `write` saves to a given `.npz` file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.npz"
        write(str(file))
        with np.load(file) as arrays:
            return dict(arrays)


def differences_table(ours: Outcomes, theirs: Outcomes, zero: Collection[str] = ()) -> tuple[list[str], bool]:
    """Return the lines of a table of the largest difference in each workload, and whether all are within `TOLERANCE`.

    A difference is the norm of the difference of two arrays, divided by the norm of the second. Arrays named in `zero`
    must be zero on both sides.
    """
    if set(ours) != set(theirs):
        return [f"error: only one side computed {sorted(set(ours) ^ set(theirs))}"], False
    found: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for name in ours:
        batch, workload, what = name.split("/")
        differ = _difference_from_zero if name in zero else _difference
        found.setdefault((workload, batch), []).append((differ(ours[name], theirs[name]), what))
    width = max(16, *(len(workload) + 2 for workload, _ in found))
    lines = [f"{'workload':<{width}}{'batch':>8}{'arrays':>8}{'largest relative difference':>30}  in"]
    for (workload, batch), differences in found.items():
        largest, what = max(differences)
        verdict = "" if largest <= TOLERANCE else f"   more than {TOLERANCE:g}"
        lines.append(f"{workload:<{width}}{batch:>8}{len(differences):>8}{largest:>30.1e}  {what}{verdict}")
    return lines, all(difference <= TOLERANCE for differences in found.values() for difference, _ in differences)


def _difference(ours: Array, theirs: Array) -> float:
    """Return infinity if shapes differ, if an entry is not finite, or if all entries are zero and prove nothing."""
    finite = np.isfinite(ours).all() and np.isfinite(theirs).all()
    if ours.shape != theirs.shape or not finite or not theirs.any():
        return math.inf
    exact = np.asarray(theirs, np.float64)
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


def _difference_from_zero(ours: Array, theirs: Array) -> float:
    return 0.0 if ours.shape == theirs.shape and not ours.any() and not theirs.any() else math.inf

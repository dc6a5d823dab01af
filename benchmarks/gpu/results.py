"""What two sides of the GPU benchmarks gave, set against each other: a table of times, or of differences.

Knows neither library, only what `gpu/one_side.py` prints and writes.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Report = dict[str, Any]
"""What one process of `gpu/one_side.py` prints."""

TOLERANCE = 1e-4
"""How far two sides may differ, as a share of the array's norm. TF32 in one of them would show."""


def times_table(rounds: list[tuple[Report, Report]]) -> list[str]:
    """Return the lines of a table from several rounds, each a report of npnets and one of its rival.

    A ratio is npnets' time over the rival's in the same round; what is shown is the median over the rounds, with the
    least and the most, and the times' medians beside it.
    """
    paired = [zip(ours["times"], theirs["times"], strict=True) for ours, theirs in rounds]
    rows = [_row(cases) for cases in zip(*paired, strict=True)]
    on_device = rows[0]["device_us"] is not None
    over = f"{'':>24}{'wall, us a call':^44}" + f"{'CUDA events, us a call':^44}" * on_device
    head = f"{'npnets':>9}{'PyTorch':>10}{'ratio':>8}{'least..most':>15}  "
    lines = [over.rstrip(), f"{'workload':<16}{'batch':>8}" + (head * (1 + on_device)).rstrip()]
    for row in rows:
        clocks = [row[key] for key in ("wall_us", "device_us") if row[key] is not None]
        lines.append(f"{row['workload']:<16}{row['batch']:>8}" + "".join(_cells(*clock) for clock in clocks).rstrip())
    mean = math.exp(statistics.fmean(math.log(statistics.median(row["wall_us"][2])) for row in rows))
    return [*lines, f"geometric mean of the wall's ratios, npnets to PyTorch: {mean:.2f}; below 1, npnets is quicker"]


def _row(cases: tuple[tuple[Report, Report], ...]) -> dict[str, Any]:
    """One workload and batch: for each clock both sides' times and their ratios, a list with an entry a round."""
    row = {key: cases[0][0][key] for key in ("workload", "batch")}
    for key in ("wall_us", "device_us"):
        ours, theirs = ([case[side][key] for case in cases] for side in (0, 1))
        there = None not in ours
        row[key] = (ours, theirs, [a / b for a, b in zip(ours, theirs, strict=True)]) if there else None
    return row


def _cells(ours: list[float], theirs: list[float], ratios: list[float]) -> str:
    ends = f"{min(ratios):.2f}..{max(ratios):.2f}"
    times = f"{statistics.median(ours):>9.1f}{statistics.median(theirs):>10.1f}"
    return f"{times}{statistics.median(ratios):>8.2f}{ends:>15}  "


def differences_table(
    ours: Mapping[str, NDArray], theirs: Mapping[str, NDArray], zero: Collection[str] = ()
) -> tuple[list[str], bool]:
    """Return the lines of a table of the largest difference in each workload, and whether all are small enough.

    A difference is the norm of the difference of two arrays over the norm of the rival's. Arrays that are named in
    `zero` must be that on both sides.
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


def _difference(ours: NDArray, theirs: NDArray) -> float:
    """Infinite where shapes differ, where something is not finite, and where all is zero: then nothing was compared."""
    finite = np.isfinite(ours).all() and np.isfinite(theirs).all()
    if ours.shape != theirs.shape or not finite or not theirs.any():
        return math.inf
    exact = np.asarray(theirs, np.float64)
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


def _difference_from_zero(ours: NDArray, theirs: NDArray) -> float:
    return 0.0 if ours.shape == theirs.shape and not ours.any() and not theirs.any() else math.inf

"""The times of two sides of the GPU benchmarks, set against each other.

Knows neither library, only what `gpu/one_side.py` prints and writes.
"""

from __future__ import annotations

import math
import statistics
from typing import Any

Report = dict[str, Any]
"""What one process of `gpu/one_side.py` prints."""


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

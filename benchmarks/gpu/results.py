"""The comparison of the times of both sides of the GPU benchmark, as `one_side.py` returns them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.harness.ratios import geometric_mean, within_rounds

CLOCKS = ("wall_us", "device_us")

Row = dict[str, Any]
"""One workload and batch: for each clock, both medians and the ratio's median, minimum and maximum, or None."""


def rows(rounds: Sequence[dict[str, list[dict[str, Any]]]]) -> list[Row]:
    """Return a row for each workload and batch from the times of several rounds, npnets' first in each.

    A ratio is npnets' time divided by PyTorch's in the same round.
    """
    cases = zip(*(zip(*one.values(), strict=True) for one in rounds), strict=True)
    return [_row(case) for case in cases]


def _row(case: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Row:
    row = {key: case[0][0][key] for key in ("workload", "batch")}
    for clock in CLOCKS:
        ours, theirs = ([one[side][clock] for one in case] for side in (0, 1))
        row[clock] = None if None in ours else _against(ours, theirs)
    return row


def _against(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    ratios = within_rounds(ours, theirs)
    times = {"npnets": statistics.median(ours), "rival": statistics.median(theirs)}
    return {**times, "ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def times_table(found: Sequence[Row]) -> list[str]:
    """Return the lines of a table."""
    on_device = found[0]["device_us"] is not None
    over = f"{'':>24}{'wall, us a call':^44}" + f"{'CUDA events, us a call':^44}" * on_device
    head = f"{'npnets':>9}{'PyTorch':>10}{'ratio':>8}{'least..most':>15}  "
    lines = [over.rstrip(), f"{'workload':<16}{'batch':>8}" + (head * (1 + on_device)).rstrip()]
    for row in found:
        clocks = "".join(_cells(row[clock]) for clock in CLOCKS if row[clock] is not None)
        lines.append(f"{row['workload']:<16}{row['batch']:>8}{clocks.rstrip()}")
    mean = geometric_mean(row["wall_us"]["ratio"] for row in found)
    return [
        *lines,
        f"geometric mean of the wall-clock ratios, npnets to PyTorch: {mean:.2f}; below 1, npnets is faster",
    ]


def _cells(clock: dict[str, float]) -> str:
    ends = f"{clock['least']:.2f}..{clock['most']:.2f}"
    return f"{clock['npnets']:>9.1f}{clock['rival']:>10.1f}{clock['ratio']:>8.2f}{ends:>15}  "

"""The table of the speed benchmark: the time of a call on each side, and the ratios of npnets' time to the others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from benchmarks.cpu.bars import ratio
from benchmarks.cpu.cells import KINDS, RECURRENT, TWINS, Cell
from benchmarks.cpu.sides import OURS, RIVALS, SIDES
from benchmarks.harness.ratios import geometric_mean, spread, within_rounds
from benchmarks.harness.turns import Times

WIDTHS = {"tianshou": 24}
"""Width of a side's column of ratios where it is not `WIDTH`: this one also has quartiles."""

WIDTH = 16
ABSENT = "-"

Means = dict[str, dict[str, float]]
"""Geometric means of ratios, by group or kind, and by side."""


def timed(times: Times, sides: Iterable[str]) -> list[str]:
    """Return the sides that have times."""
    there = {side for found in times.values() for side in found}
    return [side for side in sides if side in there]


def times_table(times: Times) -> list[str]:
    """Return the lines: medians over the rounds, quartiles of the ratio to Tianshou, means for each of our sides."""
    sides, rivals = timed(times, SIDES), timed(times, RIVALS)
    us, over = (
        "".join(f"{SIDES[side].name:>{width.get(side, WIDTH)}}" for side in shown)
        for shown, width in ((sides, {}), (rivals, WIDTHS))
    )
    lines = [f"{'':<34}{'us a call':^{len(us)}}{'npnets over':^{len(over)}}".rstrip()]
    lines.append(f"{'workload':<26}{'size':>8}{us}{over}")
    lines += [_row(cell, found, sides, rivals) for cell, found in times.items()]
    for ours in timed(times, OURS):
        lines += ["", *_group_lines(ours, groups(times, ours)), "", *_mean_lines(ours, means(times, ours))]
    return lines


def groups(times: Times, ours: str) -> Means:
    """Return the ratios of one of our sides' time to the others: geometric means over the networks of a kind and size.

    Results are by group and side. The steps of Adam and of each algorithm are groups of one cell.
    """
    cells: dict[str, list[Cell]] = {}
    for cell in times:
        cells.setdefault(group(cell), []).append(cell)
    return {name: _over_rivals(times, members, ours) for name, members in cells.items()}


def group(cell: Cell) -> str:
    """Return the name of a cell's group: `forward, 32`, `recurrent gradient, 64 x 16`, `adam step`, `td3 learn`."""
    if cell.kind == "adam":
        return "adam step"
    if cell.network == TWINS:
        return "two small critics"
    if cell.kind not in KINDS:
        return f"{cell.network} {cell.kind}"
    return f"{'recurrent ' * (cell.network in RECURRENT)}{cell.kind}, {cell.size.replace('x', ' x ')}"


def means(times: Times, ours: str) -> Means:
    """Return the ratios of one of our sides' time to the others, by side.

    They are geometric means over forwards, gradients and both.
    """
    kinds = {"all": KINDS, **{kind: (kind,) for kind in KINDS}}
    found: Means = {side: {} for side in RIVALS}
    for name, counted in kinds.items():
        for side, mean in _over_rivals(times, [cell for cell in times if cell.kind in counted], ours).items():
            found[side][name] = mean
    return {side: values for side, values in found.items() if values}


def _over_rivals(times: Times, cells: Iterable[Cell], ours: str) -> dict[str, float]:
    cells = list(cells)
    ratios = {
        side: [ratio(times, cell, ours, side) for cell in cells if {ours, side} <= times[cell].keys()]
        for side in RIVALS
        if side != ours
    }
    return {side: geometric_mean(values) for side, values in ratios.items() if values}


def _row(cell: Cell, found: dict[str, list[float]], sides: list[str], rivals: list[str]) -> str:
    medians = "".join(f"{_median(found.get(side)):>{WIDTH}}" for side in sides)
    ratios = "".join(f"{_ratio(side, found):>{WIDTHS.get(side, WIDTH)}}" for side in rivals)
    return f"{cell.workload:<26}{cell.size:>8}{medians}{ratios}"


def _median(times: list[float] | None) -> str:
    return ABSENT if times is None else f"{statistics.median(times):.1f}"


def _ratio(side: str, sides: dict[str, list[float]]) -> str:
    if not {"npnets", side} <= sides.keys():
        return ABSENT
    found = spread(within_rounds(sides["npnets"], sides[side]))
    quartiles = f"  {found.low:.2f}..{found.high:.2f}" if side in WIDTHS else ""
    return f"{found.median:.2f}{quartiles}"


def _group_lines(ours: str, found: Means) -> list[str]:
    rivals = [side for side in RIVALS if any(side in over for over in found.values())]
    names = "".join(f"{SIDES[side].name:>{WIDTH}}" for side in rivals)
    rows = [f"{name:<34}" + "".join(_mean(over.get(side)) for side in rivals) for name, over in found.items()]
    return [f"{f'{SIDES[ours].name} over, geometric means':<34}{names}", *rows]


def _mean(value: float | None) -> str:
    return f"{ABSENT if value is None else f'{value:.2f}':>{WIDTH}}"


def _mean_lines(ours: str, found: Means) -> list[str]:
    lines = []
    for side, values in found.items():
        kinds = ", ".join(f"{kind} {values[kind]:.2f}" for kind in KINDS if kind in values)
        lines.append(f"geometric mean of {SIDES[ours].name} over {SIDES[side].name}: {values['all']:.2f} ({kinds})")
    return lines

"""The table of the benchmark of speed: what a call takes on each side, and npnets' time over each of the others'."""

from __future__ import annotations

import statistics

from benchmarks.cpu.bars import ratio
from benchmarks.cpu.cells import KINDS, RECURRENT, Cell
from benchmarks.harness.ratios import geometric_mean, summary, within_rounds
from benchmarks.harness.turns import Times

SIDES = {"npnets": "npnets", "tianshou": "Tianshou", "jax": "JAX", "autograd": "autograd", "products": "floor"}
RIVALS = {side: name for side, name in SIDES.items() if side != "npnets"}

SPREAD = {"tianshou": 13}
"""Over whom the quartiles are shown too, and how wide."""

ABSENT = "-"


def times_table(times: Times) -> list[str]:
    """Return the lines: medians over the rounds; quartiles of the ratio to Tianshou, the one that is judged closest."""
    names = "".join(f"{name:>11}" for name in SIDES.values())
    over = "".join(f"{name:>9}{'quartiles' * (side in SPREAD):>{SPREAD.get(side, 0)}}" for side, name in RIVALS.items())
    lines = [f"{'':<34}{'us a call':^55}{'npnets over':^49}".rstrip(), f"{'workload':<26}{'size':>8}{names}{over}"]
    lines += [_row(cell, sides) for cell, sides in times.items()]
    return [*lines, *_groups(times), *_means(times)]


def _row(cell: Cell, sides: dict[str, list[float]]) -> str:
    medians = "".join(f"{_median(sides.get(side)):>11}" for side in SIDES)
    return f"{cell.workload:<26}{cell.size:>8}{medians}" + "".join(_ratio(side, sides) for side in RIVALS)


def _median(times: list[float] | None) -> str:
    return ABSENT if times is None else f"{statistics.median(times):.1f}"


def _ratio(side: str, sides: dict[str, list[float]]) -> str:
    median, spread = ABSENT, ""
    if side in sides:
        found = summary(within_rounds(sides["npnets"], sides[side]))
        median, spread = f"{found.median:.2f}", f"{found.low:.2f}..{found.high:.2f}"
    return f"{median:>9}" + (f"{spread:>{SPREAD[side]}}" if side in SPREAD else "")


def _groups(times: Times) -> list[str]:
    """Return npnets' time over the others', geometric means over the networks of one kind and size."""
    groups: dict[str, list[Cell]] = {}
    for cell in times:
        if cell.kind in KINDS:
            name = f"{'recurrent ' * (cell.network in RECURRENT)}{cell.kind}, {cell.size.replace('x', ' x ')}"
            groups.setdefault(name, []).append(cell)
    names = "".join(f"{name:>10}" for name in RIVALS.values())
    rows = [f"{name:<34}" + "".join(_mean(times, cells, side) for side in RIVALS) for name, cells in groups.items()]
    return ["", f"{'npnets over, geometric means':<34}{names}", *rows, ""] if rows else []


def _mean(times: Times, cells: list[Cell], side: str) -> str:
    found = [ratio(times, cell, side) for cell in cells if side in times[cell]]
    return f"{geometric_mean(found):>10.2f}" if found else f"{ABSENT:>10}"


def _means(times: Times) -> list[str]:
    lines = []
    for side, name in RIVALS.items():
        found = {cell: ratio(times, cell, side) for cell in times if side in times[cell] and cell.kind in KINDS}
        kinds = [(kind, [value for cell, value in found.items() if cell.kind == kind]) for kind in KINDS]
        means = ", ".join(f"{kind} {geometric_mean(values):.2f}" for kind, values in kinds if values)
        lines += [f"geometric mean over {name}: {geometric_mean(found.values()):.2f} ({means})"] if found else []
    return lines


Footprint = dict[str, tuple[list[float], int, int]]
"""By side: seconds of each import, and the bytes held after it and after one action."""


def footprint_table(footprint: Footprint) -> list[str]:
    """Return the lines: how long an import takes, and what a process holds."""
    lines = [f"{'':<12}{'import, ms':>12}{'held then, MB':>16}{'after one action, MB':>23}"]
    for side, (seconds, imported, acted) in footprint.items():
        row = f"{statistics.median(seconds) * 1e3:>12.0f}{imported / 1e6:>16.0f}{acted / 1e6:>23.0f}"
        lines.append(f"{SIDES[side]:<12}{row}")
    return lines

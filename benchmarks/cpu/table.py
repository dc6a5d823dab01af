"""The table of the speed benchmark: the time of a call on each side, and the ratios of npnets' time to the others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from benchmarks.cpu.bars import ratio
from benchmarks.cpu.cells import KINDS, RECURRENT, Cell
from benchmarks.harness.ratios import geometric_mean, spread, within_rounds
from benchmarks.harness.turns import Times

SIDES = {"npnets": "npnets", "tianshou": "Tianshou", "jax": "JAX", "autograd": "autograd", "products": "floor"}
RIVALS = {side: name for side, name in SIDES.items() if side != "npnets"}

QUARTILES = {"tianshou": 13}
"""Sides whose ratios are shown with quartiles, and the widths of these columns."""

ABSENT = "-"

Means = dict[str, dict[str, float]]
"""Geometric means of ratios, by group or kind, and by side."""


def times_table(times: Times) -> list[str]:
    """Return the lines: medians over the rounds, and quartiles of the ratio to Tianshou."""
    over = (f"{name:>9}{'quartiles' * (side in QUARTILES):>{QUARTILES.get(side, 0)}}" for side, name in RIVALS.items())
    head = "".join(f"{name:>11}" for name in SIDES.values()) + "".join(over)
    lines = [f"{'':<34}{'us a call':^55}{'npnets over':^49}".rstrip(), f"{'workload':<26}{'size':>8}{head}"]
    lines += [_row(cell, sides) for cell, sides in times.items()]
    return [*lines, "", *_group_lines(groups(times)), "", *_mean_lines(means(times))]


def groups(times: Times) -> Means:
    """Return the ratios of npnets' time to the others: geometric means over the networks of a kind and size.

    Results are by group and side. The steps of Adam and of each algorithm are groups of one cell.
    """
    cells: dict[str, list[Cell]] = {}
    for cell in times:
        cells.setdefault(group(cell), []).append(cell)
    return {name: _over_rivals(times, members) for name, members in cells.items()}


def group(cell: Cell) -> str:
    """Return the name of a cell's group: `forward, 32`, `recurrent gradient, 64 x 16`, `adam step`, `td3 learn`."""
    if cell.kind == "adam":
        return "adam step"
    if cell.kind not in KINDS:
        return f"{cell.network} {cell.kind}"
    return f"{'recurrent ' * (cell.network in RECURRENT)}{cell.kind}, {cell.size.replace('x', ' x ')}"


def means(times: Times) -> Means:
    """Return the ratios of npnets' time to the others, geometric means over forwards, gradients and both, by side."""
    kinds = {"all": KINDS, **{kind: (kind,) for kind in KINDS}}
    found: Means = {side: {} for side in RIVALS}
    for name, counted in kinds.items():
        for side, mean in _over_rivals(times, [cell for cell in times if cell.kind in counted]).items():
            found[side][name] = mean
    return {side: values for side, values in found.items() if values}


def _over_rivals(times: Times, cells: Iterable[Cell]) -> dict[str, float]:
    ratios = {side: [ratio(times, cell, side) for cell in cells if side in times[cell]] for side in RIVALS}
    return {side: geometric_mean(values) for side, values in ratios.items() if values}


def _row(cell: Cell, sides: dict[str, list[float]]) -> str:
    medians = "".join(f"{_median(sides.get(side)):>11}" for side in SIDES)
    return f"{cell.workload:<26}{cell.size:>8}{medians}" + "".join(_ratio(side, sides) for side in RIVALS)


def _median(times: list[float] | None) -> str:
    return ABSENT if times is None else f"{statistics.median(times):.1f}"


def _ratio(side: str, sides: dict[str, list[float]]) -> str:
    median, quartiles = ABSENT, ""
    if side in sides:
        found = spread(within_rounds(sides["npnets"], sides[side]))
        median, quartiles = f"{found.median:.2f}", f"{found.low:.2f}..{found.high:.2f}"
    return f"{median:>9}" + (f"{quartiles:>{QUARTILES[side]}}" if side in QUARTILES else "")


def _group_lines(found: Means) -> list[str]:
    names = "".join(f"{name:>10}" for name in RIVALS.values())
    rows = [f"{name:<34}" + "".join(_mean(over.get(side)) for side in RIVALS) for name, over in found.items()]
    return [f"{'npnets over, geometric means':<34}{names}", *rows]


def _mean(value: float | None) -> str:
    return f"{ABSENT:>10}" if value is None else f"{value:>10.2f}"


def _mean_lines(found: Means) -> list[str]:
    lines = []
    for side, values in found.items():
        kinds = ", ".join(f"{kind} {values[kind]:.2f}" for kind in KINDS if kind in values)
        lines.append(f"geometric mean over {RIVALS[side]}: {values['all']:.2f} ({kinds})")
    return lines

"""The limits for npnets' time ratios, called bars, and the check of the times of one number of threads.

A cell's ratio is the median over the rounds. A bar for many cells is checked against the largest ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.cpu.cells import KINDS, TWINS, Cell
from benchmarks.harness.ratios import geometric_mean, spread, within_rounds
from benchmarks.harness.turns import Times

FULL = 256
"""Number of rows from which the products should take most of the time."""


class Bar(NamedTuple):
    """A ratio and its limit: text, limit, value, and the cell with the largest ratio if there are several."""

    text: str
    most: float
    found: float
    worst: str
    cells: int
    broken: int

    @property
    def holds(self) -> bool:
        """Whether the value is within the limit."""
        return self.broken == 0

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "FAILS"
        where = f" in {self.worst}" if self.worst else ""
        count = f", above in {self.broken} of {self.cells}" if self.broken and self.worst else ""
        return f"{verdict}  {self.text}, at most {self.most:g}: {self.found:.2f}{where}{count}"


def ratio(times: Times, cell: Cell, ours: str, rival: str) -> float:
    """Return the time of one of our sides divided by another side's, the median over the rounds."""
    return spread(within_rounds(times[cell][ours], times[cell][rival])).median


def check_bars(times: Times, ours: str) -> list[Bar]:
    """Return every bar of one of our sides for which there are timed cells."""
    means = [_mean(times, ours, *bar) for bar in _MEANS]
    worst_of_many = [_worst(times, ours, *bar) for bar in _BARS]
    return [bar for bar in (*means, *worst_of_many) if bar is not None]


def _mean(times: Times, ours: str, text: str, most: float, rival: str) -> Bar | None:
    found = list(_ratios(times, ours, rival, lambda cell: cell.kind in KINDS).values())
    if not found:
        return None
    mean = geometric_mean(found)
    return Bar(text, most, mean, "", len(found), int(mean > most))


def _worst(times: Times, ours: str, text: str, most: float, rival: str, counts: Callable[[Cell], bool]) -> Bar | None:
    found = _ratios(times, ours, rival, counts)
    if not found:
        return None
    worst = max(found, key=found.__getitem__)
    broken = sum(value > most for value in found.values())
    return Bar(text, most, found[worst], f"{worst.workload} {worst.size}", len(found), broken)


def _ratios(times: Times, ours: str, rival: str, counts: Callable[[Cell], bool]) -> dict[Cell, float]:
    cells = [cell for cell, sides in times.items() if {ours, rival} <= sides.keys() and counts(cell)]
    return {cell: ratio(times, cell, ours, rival) for cell in cells}


_MEANS = [
    ("forward and gradient over Tianshou, geometric mean", 0.6, "tianshou"),
    ("forward and gradient over bare PyTorch, geometric mean", 0.75, "torch"),
]
"""Text, limit and the side to divide by."""

_BARS: list[tuple[str, float, str, Callable[[Cell], bool]]] = [
    ("gradient over Tianshou", 0.9, "tianshou", lambda cell: cell.kind == "gradient"),
    ("forward over Tianshou", 1.0, "tianshou", lambda cell: cell.kind == "forward"),
    ("forward of one row over Tianshou", 0.4, "tianshou", lambda cell: cell.kind == "forward" and cell.batch == 1),
    ("learning step over Tianshou", 0.4, "tianshou", lambda cell: cell.kind == "learn"),
    ("learning step with targets over Tianshou", 0.75, "tianshou", lambda cell: cell.kind == "whole"),
    ("forward and gradient over floor", 1.3, "products", lambda cell: cell.kind in KINDS and cell.batch >= FULL),
    ("learning step over floor", 1.3, "products", lambda cell: cell.kind in ("learn", "whole")),
    ("step of Adam over the NumPy kernels", 0.2, "npnets_numpy", lambda cell: cell.kind == "adam"),
    ("gradient of two small critics over the NumPy kernels", 0.35, "npnets_numpy", lambda cell: cell.network == TWINS),
    ("anything over plain autograd", 1.0, "autograd", lambda cell: True),
]
"""Text, limit, the side to divide by, and a predicate for the cells."""

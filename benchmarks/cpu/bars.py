"""The limits for npnets' time ratios, called bars, and the check of the times of one number of threads.

A cell's ratio is the median over the rounds. A bar for many cells is checked against the largest ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.cpu.cells import KINDS, RECURRENT, Cell
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


def ratio(times: Times, cell: Cell, rival: str) -> float:
    """Return npnets' time divided by another library's, the median over the rounds."""
    return spread(within_rounds(times[cell]["npnets"], times[cell][rival])).median


def check_bars(times: Times) -> list[Bar]:
    """Return every bar for which there are timed cells."""
    timed = {cell: ratio(times, cell, "tianshou") for cell in times if "tianshou" in times[cell]}
    both = [found for cell, found in timed.items() if cell.kind in KINDS]
    mean = geometric_mean(both) if both else 0.0
    text = "forward and gradient over Tianshou, geometric mean"
    overall = [Bar(text, 0.75, mean, "", len(both), int(mean > 0.75))] if both else []
    worst_of_many = [_worst(times, *bar) for bar in _BARS]
    return overall + [bar for bar in worst_of_many if bar is not None]


def _worst(times: Times, text: str, most: float, rival: str, counts: Callable[[Cell], bool]) -> Bar | None:
    found = {cell: ratio(times, cell, rival) for cell in times if rival in times[cell] and counts(cell)}
    if not found:
        return None
    worst = max(found, key=found.__getitem__)
    broken = sum(value > most for value in found.values())
    return Bar(text, most, found[worst], f"{worst.workload} {worst.size}", len(found), broken)


def _forward(cell: Cell) -> bool:
    return cell.kind == "forward"


_BARS: list[tuple[str, float, str, Callable[[Cell], bool]]] = [
    ("gradient over Tianshou", 1.0, "tianshou", lambda cell: cell.kind == "gradient"),
    ("forward over Tianshou", 1.1, "tianshou", lambda cell: _forward(cell) and cell.network not in RECURRENT),
    ("recurrent forward over Tianshou", 1.15, "tianshou", lambda cell: _forward(cell) and cell.network in RECURRENT),
    ("forward of one row over Tianshou", 0.4, "tianshou", lambda cell: _forward(cell) and cell.batch == 1),
    ("learning step over Tianshou", 0.75, "tianshou", lambda cell: cell.kind in ("learn", "whole")),
    ("forward and gradient over floor", 1.3, "products", lambda cell: cell.kind in KINDS and cell.batch >= FULL),
    ("learning step over floor", 1.3, "products", lambda cell: cell.kind not in KINDS and cell.batch >= FULL),
    ("anything over plain autograd", 1.0, "autograd", lambda cell: True),
]
"""Text, limit, the library to divide by, and a predicate for the cells."""

"""The times of the speed benchmark in its result file, for one number of threads.

The file has the times of every round and their summaries, so that everything can be printed and drawn again.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cpu.bars import check_bars
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.sides import OURS
from benchmarks.cpu.table import Means, groups, means, timed
from benchmarks.harness.ratios import spread
from benchmarks.harness.turns import Times

Found = dict[str, Any]
"""The part of a result file for one number of threads."""


def summed_up(times: Times, load: float) -> Found:
    """Return every cell's times; and for each of our sides, the geometric means of its ratios and the bars."""
    return {
        "load": round(load, 1),
        "cells": [_cell(cell, sides) for cell, sides in times.items()],
        "over": {ours: _over(times, ours) for ours in timed(times, OURS)},
    }


def _over(times: Times, ours: str) -> Found:
    bars = [{**bar._asdict(), "found": round(bar.found, 4), "holds": bar.holds} for bar in check_bars(times, ours)]
    return {"groups": _rounded(groups(times, ours)), "means": _rounded(means(times, ours)), "bars": bars}


def times_of(found: Found) -> Times:
    """Return the times of every round, by cell and side."""
    return {Cell(**{name: cell[name] for name in Cell._fields}): cell["rounds"] for cell in found["cells"]}


def _cell(cell: Cell, sides: dict[str, list[float]]) -> dict[str, Any]:
    return {
        **cell._asdict(),
        "size": cell.size,
        "microseconds": {side: spread(values).rounded(2) for side, values in sides.items()},
        "rounds": {side: [round(value, 2) for value in values] for side, values in sides.items()},
    }


def _rounded(means: Means) -> Means:
    return {name: {key: round(value, 4) for key, value in values.items()} for name, values in means.items()}

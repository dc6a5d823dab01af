"""Growth of the cost of a gradient with batch, width, depth and sequence length, up to the limit of memory.

The network is a deterministic actor, and a recurrent actor for the sequence length. Each size runs in a fresh process,
which may run out of memory. A size is skipped if, judging by the last one, it would not fit into the allowed memory. A
time is the minimum over three blocks of calls, or of a single call if calls are long: it shows orders of magnitude, not
a second digit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.cpu.cells import Cell
from benchmarks.cpu.sides import start
from benchmarks.harness.record import Record
from benchmarks.harness.resident_memory import available_memory
from benchmarks.harness.turns import Ended

SIDES = ("npnets", "tianshou")

FREE = 0.5
"""The fraction of the free memory that one process may use."""

GROWTH = 4
"""Factor of memory from one size to the next."""


class Axis(NamedTuple):
    """An axis of growth: its first size, the factor to the next size, and the cell of a size."""

    first: int
    factor: int
    cell: Callable[[int], Cell]


AXES = {
    "batch": Axis(1, 4, lambda size: Cell("actor", "gradient", size)),
    "width": Axis(16, 2, lambda size: Cell("actor", "gradient", 256, width=size)),
    "depth": Axis(1, 4, lambda size: Cell("actor", "gradient", 256, depth=size)),
    "steps": Axis(1, 4, lambda size: Cell("recurrent_actor", "gradient", 64, steps=size)),
}


class Point(NamedTuple):
    """The cost of a gradient of one size on one side: microseconds, and peak bytes of the process."""

    axis: str
    size: int
    side: str
    microseconds: float
    peak: int


def measure(record: Record, options: argparse.Namespace) -> None:
    """Measure both sides along every axis, in turn, up to the allowed memory."""
    threads, memory = options.threads[0], options.memory * 1e9 if options.memory else FREE * available_memory()
    points = []
    for name, axis in AXES.items():
        size, going_on = axis.first, set(SIDES)
        while going_on:
            for side in [side for side in SIDES if side in going_on]:
                print(f"{name} {size}: {side}", file=sys.stderr)
                cost = _cost(side, axis.cell(size), threads, options.seconds)
                if cost is not None:
                    points.append(Point(name, size, side, round(cost["microseconds"], 1), round(cost["peak"])))
                if cost is None or expected(cost) > memory:
                    going_on.remove(side)
            size *= axis.factor
        found = [point._asdict() for point in points]
        record.write({"threads": threads, "memory": round(memory), "points": found})


def points_of(found: dict[str, Any]) -> list[Point]:
    """Return the points of a result file."""
    return [Point(**point) for point in found["points"]]


def expected(cost: dict[str, float]) -> float:
    """Return the expected bytes of a process for the next size."""
    return cost["before"] + GROWTH * (max(cost["peak"], cost["most"]) - cost["before"])


def _cost(side: str, cell: Cell, threads: int, seconds: float) -> dict[str, float] | None:
    try:
        with start(side, threads, seconds) as worker:
            return worker.call(cost=cell)
    except Ended as ended:
        print(ended, file=sys.stderr)
        return None


def growth_table(found: dict[str, Any]) -> list[str]:
    """Return the lines of a table: a row for each size, blank where a side ran out of memory."""
    points = points_of(found)
    lines = [f"{'':<16}{'us a gradient':^34}{'peak, MB':^22}".rstrip()]
    lines += [f"{'':<6}{'size':>10}" + f"{'npnets':>12}{'Tianshou':>12}{'ratio':>10}{'npnets':>11}{'Tianshou':>11}"]
    by_place = {(point.axis, point.size, point.side): point for point in points}
    for axis, size in dict.fromkeys((point.axis, point.size) for point in points):
        ours, theirs = (by_place.get((axis, size, side)) for side in SIDES)
        times = "".join(f"{point.microseconds:>12.0f}" if point else f"{'-':>12}" for point in (ours, theirs))
        ratio = f"{ours.microseconds / theirs.microseconds:>10.2f}" if ours and theirs else f"{'-':>10}"
        peaks = "".join(f"{point.peak / 1e6:>11.0f}" if point else f"{'-':>11}" for point in (ours, theirs))
        lines.append(f"{axis:<6}{size:>10}{times}{ratio}{peaks}")
    return lines

"""What the benchmark of speed found: written down part by part, printed and drawn.

A part is a JSON file in the folder for results, `times.json` and so on: parts may be measured on different days.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.cpu.bars import judge
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.growth import Point, growth_table
from benchmarks.cpu.table import Footprint, footprint_table, times_table
from benchmarks.harness.turns import Times

Timed = list[tuple[int, float, Any]]
"""For each number of threads: that number, the load average, and times by cell as pairs."""


def write(part: str, found: Any, out: Path) -> None:
    """Write a part down."""
    (out / f"{part}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


def read(out: Path) -> dict[str, Any]:
    """Return all parts that are there."""
    files = {part: out / f"{part}.json" for part in PRINT}
    return {part: json.loads(file.read_text(encoding="utf-8")) for part, file in files.items() if file.exists()}


def print_facts(found: dict[str, str]) -> None:
    """Print the machine and all versions."""
    print(*(f"{name}: {value}" for name, value in found.items()), sep="\n", flush=True)


def print_times(found: Timed) -> None:
    """Print a table for each number of threads, and which bars hold."""
    for threads, load, rows in found:
        times = _by_cell(rows)
        print(f"\nthreads: {threads}; load average of the last minutes: {load:.1f}")
        print(*times_table(times), "", *judge(times), sep="\n", flush=True)


def print_footprint(found: Footprint) -> None:
    """Print imports and memory."""
    print("", *footprint_table(found), sep="\n", flush=True)


def print_growth(found: list[Any]) -> None:
    """Print how cost grows."""
    print("", *growth_table([Point(*point) for point in found]), sep="\n", flush=True)


PRINT = {"facts": print_facts, "times": print_times, "footprint": print_footprint, "growth": print_growth}


def draw(found: dict[str, Any], out: Path) -> None:
    """Draw what there is."""
    from benchmarks.cpu.picture import draw_growth, draw_ratios

    if "times" in found:
        draw_ratios(out / "speed.png", {threads: _by_cell(rows) for threads, _, rows in found["times"]})
    if "growth" in found:
        draw_growth(out / "growth.png", [Point(*point) for point in found["growth"]])


def _by_cell(rows: list[tuple[list[Any], dict[str, list[float]]]]) -> Times:
    """Return times as they were before they were written down."""
    return {Cell(*cell): times for cell, times in rows}

"""npnets beside Tianshou 1.0.0 on PyTorch, JAX under jit and plain autograd on the CPU: times, memory, growth.

    sh scripts/speed.sh                        # makes .venv with all that is needed, then does as the next line
    python -m benchmarks.cpu.speed             # tables, bars and pictures, into runs/benchmarks
    python -m benchmarks.cpu.speed --check     # do all sides compute the same?
    python -m benchmarks.cpu.speed --quick --only 'critic.*/256'

Each side in a process of its own, which waits while another works; many rounds, the order turned round after each. A
ratio is taken within a round, and what is shown is the median over the rounds. The floor is one more process, which
does the matrix products alone. `docs/speed.rst` says what is measured. Each part has a result file of its own, because
parts may be measured on different days.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.cpu import footprint, gradient_memory, growth
from benchmarks.cpu.bars import judge
from benchmarks.cpu.cells import CELLS, SIDE, Cell, sides
from benchmarks.cpu.check import check
from benchmarks.cpu.results import summed_up, times_of
from benchmarks.cpu.table import times_table
from benchmarks.harness.options import parse
from benchmarks.harness.record import Record, measure_and_show, save_figure
from benchmarks.harness.turns import take_turns
from examples.shared.command_line import at_least

FULL: dict[str, Any] = {"threads": [1, 2], "rounds": 21, "seconds": 0.05, "memory": None}
QUICK = {"rounds": 3, "seconds": 0.01, "memory": 0.7}


class Part(NamedTuple):
    """One thing to measure: the name of its result file, how it is measured into it, shown as lines, and drawn."""

    file: str
    measure: Callable[[Record, argparse.Namespace], None]
    lines: Callable[[Any], list[str]]
    picture: str = ""


def measure_times(record: Record, options: argparse.Namespace) -> None:
    """Time the cells on each number of threads, and write down each when it is done."""
    found: dict[str, Any] = {}
    for threads in options.threads:
        cells = {cell: sides(cell) for cell in options.cells}
        times = take_turns(SIDE, cells, threads, options.rounds, options.seconds)
        found[str(threads)] = summed_up(times, os.getloadavg()[1])
        record.write({"rounds": options.rounds, "seconds": options.seconds, "threads": found})


def times_lines(found: dict[str, Any]) -> list[str]:
    """Return a table for each number of threads, and which bars hold."""
    lines = []
    for threads, one in found["threads"].items():
        times = times_of(one)
        head = f"threads: {threads}; load average of the last minutes: {one['load']:.1f}"
        lines += [head, *times_table(times), "", *map(str, judge(times)), ""]
    return lines


PARTS = {
    "times": Part("speed", measure_times, times_lines, "figure_of_ratios"),
    "footprint": Part(footprint.NAME, footprint.measure, footprint.footprint_table),
    "growth": Part("growth", growth.measure, growth.growth_table, "figure_of_growth"),
    "memory": Part("gradient_memory", gradient_memory.measure, gradient_memory.memory_table),
}


def show(part: Part, found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print what a part found, and draw it."""
    print(*part.lines(found), "", sep="\n", flush=True)
    if part.picture:
        from benchmarks.cpu import picture

        save_figure(getattr(picture, part.picture)(found), options.out / f"{part.file}.png")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare npnets with Tianshou on PyTorch, JAX and plain autograd.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--check", action="store_true", help="compare what all sides compute, and time nothing")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="cells with this in their name: actor_forward/256"
    )
    parser.add_argument("--threads", type=at_least(1), nargs="+", help="default: 1 2")
    parser.add_argument("--rounds", type=at_least(1), help="default: 21")
    parser.add_argument("--seconds", type=float, help="that a block of calls takes; default: 0.05")
    parser.add_argument(
        "--memory", type=float, help="GB that a process of `growth` may take; default: half of the free"
    )
    options = parse(parser, FULL, QUICK, arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {sorted(unknown)}; there are {', '.join(PARTS)}")
    options.cells = [cell for cell in CELLS if re.search(options.only, named(cell))]
    if not options.cells:
        parser.error(f"no cell's name has {options.only!r}; names are such as {named(CELLS[0])}")
    return options


def named(cell: Cell) -> str:
    """Return a cell's name, `actor_forward/256`."""
    return f"{cell.workload}/{cell.size}"


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    if options.check:
        sys.exit(0 if check(options.cells) else "error: not all sides compute the same")
    there = [name for name, part in PARTS.items() if (options.out / f"{part.file}.json").exists()]
    for part in (PARTS[name] for name in options.parts or (options.again and there) or PARTS):
        measure_and_show(part.file, options, part.measure, functools.partial(show, part))


if __name__ == "__main__":
    main()

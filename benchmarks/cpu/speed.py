"""Speed benchmark of npnets, Tianshou 1.0.0, bare PyTorch, JAX under jit and plain autograd on the CPU.

    sh scripts/speed.sh                        # creates .venv with all dependencies, then runs the next line
    python -m benchmarks.cpu.speed             # prints tables and bars, writes results and figures to runs/benchmarks
    python -m benchmarks.cpu.speed --check     # compares the results of all libraries
    python -m benchmarks.cpu.speed --quick --only 'critic.*/256'

Each library has its own process, which waits while another runs. There are many rounds, and the order is reversed after
each. A ratio is taken within a round, and tables show the median over the rounds. The floor is one more process, which
computes only the matrix products. npnets is up to three sides, with different kernels. `docs/speed.rst` describes the
measurements. Each part has its own result file, because parts may be measured on different days; the file of the
times is named after the processor, so that those of several processors can be published side by side.
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
from benchmarks.cpu.bars import check_bars
from benchmarks.cpu.cells import CELLS, Cell
from benchmarks.cpu.check import check
from benchmarks.cpu.results import summed_up, times_of
from benchmarks.cpu.sides import OURS, SIDES, kernels_of, sides, start
from benchmarks.cpu.table import timed, times_table
from benchmarks.harness.options import parse
from benchmarks.harness.processor import instructions, slug
from benchmarks.harness.record import Record, measure_and_show, save_figure
from benchmarks.harness.turns import take_turns
from examples.shared.command_line import at_least
from npnets import about

FULL: dict[str, Any] = {"threads": [1, 2], "rounds": 21, "seconds": 0.05, "memory": None, "sides": list(SIDES)}
QUICK = {"rounds": 3, "seconds": 0.01, "memory": 0.7}


class Part(NamedTuple):
    """One part of the benchmark: the name of its result file, and functions that measure, print and draw it."""

    file: str
    measure: Callable[[Record, argparse.Namespace], None]
    lines: Callable[[Any], list[str]]
    picture: str = ""


def measure_times(record: Record, options: argparse.Namespace) -> None:
    """Time the cells on each number of threads, and write the results after each."""
    kernels, found = kernels_of(options.sides), {}
    chosen = {*kernels, *(set(options.sides) - set(OURS))}
    cells = {cell: [side for side in sides(cell) if side in chosen] for cell in options.cells}
    for threads in options.threads:
        times = take_turns(start, cells, threads, options.rounds, options.seconds)
        found[str(threads)] = summed_up(times, os.getloadavg()[1])
        settings = {"rounds": options.rounds, "seconds": options.seconds, "kernels": kernels}
        record.write({**settings, "threads": found})


def times_lines(found: dict[str, Any]) -> list[str]:
    """Return a table and the bars for each number of threads."""
    lines = [f"{SIDES[side].name}: {kernels}" for side, kernels in found["kernels"].items()]
    for threads, one in found["threads"].items():
        times = times_of(one)
        head = f"threads: {threads}; load average of the last minutes: {one['load']:.1f}"
        lines += ["", head, *times_table(times)]
        for ours in timed(times, OURS):
            lines += ["", f"limits of {SIDES[ours].name}:", *map(str, check_bars(times, ours))]
    return lines


PARTS = {
    "times": Part(
        f"speed-{slug(about()['processor'], instructions())}", measure_times, times_lines, "figure_of_ratios"
    ),
    "footprint": Part(footprint.NAME, footprint.measure, footprint.footprint_table),
    "growth": Part("growth", growth.measure, growth.growth_table, "figure_of_growth"),
    "memory": Part("gradient_memory", gradient_memory.measure, gradient_memory.memory_table),
}


def show(part: Part, found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print and draw the results of a part."""
    print(*part.lines(found), "", sep="\n", flush=True)
    if part.picture:
        from benchmarks.cpu import picture

        save_figure(getattr(picture, part.picture)(found), options.out / f"{part.file}.png")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare npnets with Tianshou, PyTorch, JAX and plain autograd.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument("--check", action="store_true", help="compare the results of all sides, without timing")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="cells with this in their name: actor_forward/256"
    )
    parser.add_argument("--sides", nargs="+", choices=SIDES, metavar="SIDE", help=f"default: {' '.join(SIDES)}")
    parser.add_argument("--threads", type=at_least(1), nargs="+", help="default: 1 2")
    parser.add_argument("--rounds", type=at_least(1), help="default: 21")
    parser.add_argument("--seconds", type=float, help="seconds of a block of calls; default: 0.05")
    parser.add_argument(
        "--memory", type=float, help="GB that a process of `growth` may use; default: half of the free memory"
    )
    options = parse(parser, FULL, QUICK, arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {sorted(unknown)}; expected some of {', '.join(PARTS)}")
    options.cells = [cell for cell in CELLS if re.search(options.only, named(cell))]
    if not options.cells:
        parser.error(f"no cell's name matches {options.only!r}; an example of a name is {named(CELLS[0])}")
    return options


def named(cell: Cell) -> str:
    """Return a cell's name, `actor_forward/256`."""
    return f"{cell.workload}/{cell.size}"


def main() -> None:
    """Read the command line and run."""
    options = parse_options()
    if options.check:
        sys.exit(0 if check(options.cells) else "error: the results of the sides differ")
    there = [name for name, part in PARTS.items() if (options.out / f"{part.file}.json").exists()]
    for part in (PARTS[name] for name in options.parts or (options.again and there) or PARTS):
        measure_and_show(part.file, options, part.measure, functools.partial(show, part))


if __name__ == "__main__":
    main()

"""npnets beside Tianshou 1.0.0 on PyTorch, JAX under jit and plain autograd on the CPU: times, memory, growth.

    sh scripts/speed.sh                      # makes .venv with all that is needed, then does as the next line
    python -m benchmarks.cpu.speed               # tables, bars and pictures, into runs/speed
    python -m benchmarks.cpu.speed --check       # do all sides compute the same?
    python -m benchmarks.cpu.speed --quick --only 'critic.*/256'

Each side in a process of its own, which waits while another works; many rounds, the order turned round after each. A
ratio is taken within a round, and what is shown is the median over the rounds. The floor is one more process, which
does the matrix products alone. `docs/speed.rst` says what is measured.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cpu.cells import CELLS, LIBRARIES, Cell, sides
from benchmarks.cpu.check import check
from benchmarks.cpu.footprint import footprint
from benchmarks.cpu.growth import measure
from benchmarks.cpu.report import PRINT, Timed, draw, print_times, read, write
from benchmarks.gpu.side_by_side import machine
from benchmarks.gpu.sides import positive
from benchmarks.harness.resident_memory import available_memory
from benchmarks.harness.turns import Worker, take_turns

PARTS = ("times", "footprint", "growth")

SHARE = 0.5
"""Of the memory that is free, how much one process may take."""

QUICK = {"rounds": 3, "seconds": 0.01, "memory": 0.7}


def facts() -> dict[str, str]:
    """The machine and all versions."""
    found = machine()
    for side in LIBRARIES:
        with Worker("speed", side, 1, 0.0) as worker:
            found |= worker.ask(facts=True)
    return found


def measure_times(options: argparse.Namespace, cells: list[Cell]) -> None:
    """Time the cells on each number of threads; print and write down each when it is done."""
    found: Timed = []
    for threads in options.threads:
        times = take_turns("speed", {c: sides(c) for c in cells}, threads, options.rounds, options.seconds)
        found.append((threads, os.getloadavg()[1], list(times.items())))
        print_times(found[-1:])
        write("times", found, options.out)


def measure_all(options: argparse.Namespace, cells: list[Cell]) -> None:
    """Measure what is asked for, and print and write down each part when it is done."""
    parts: dict[str, Callable[[], Any]] = {
        "facts": facts,
        "footprint": lambda: footprint(options.rounds),
        "growth": lambda: measure(options.threads[0], options.seconds, options.memory * 1e9),
    }
    for part in ("facts", *options.parts):
        if part == "times":
            measure_times(options, cells)
        else:
            found = parts[part]()
            PRINT[part](found)
            write(part, found, options.out)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare npnets with Tianshou on PyTorch, JAX and plain autograd.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--check", action="store_true", help="compare what all sides compute, and time nothing")
    parser.add_argument("--again", action="store_true", help="print and draw what was measured last, and time nothing")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="cells with this in their name: actor_forward/256"
    )
    parser.add_argument("--threads", type=positive, nargs="+", default=[1, 2], help="default: %(default)s")
    parser.add_argument("--rounds", type=positive, default=21, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.05, help="that a block of calls takes; default: %(default)s")
    parser.add_argument("--memory", type=float, help="GB that a process may take; default: half of what is free")
    parser.add_argument("--quick", action="store_true", help="three rounds of short blocks; growth to little memory")
    parser.add_argument("--out", type=Path, default=Path("runs/speed"), help="folder for results; default: %(default)s")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {sorted(unknown)}; there are {', '.join(PARTS)}")
    options.parts = options.parts or PARTS
    vars(options).update(QUICK if options.quick else {})
    if options.memory is None:
        options.memory = SHARE * available_memory() / 1e9
    return options


def main() -> None:
    """Do as the command line says."""
    options = parse_options()
    cells = [cell for cell in CELLS if re.search(options.only, f"{cell.workload}/{cell.size}")]
    if not cells:
        sys.exit(f"error: no cell's name has {options.only!r}; names are such as {CELLS[0].workload}/{CELLS[0].size}")
    if options.check:
        sys.exit(0 if check(cells) else "error: not all sides compute the same")
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.again:
        measure_all(options, cells)
    found = {part: values for part, values in read(options.out).items() if part in ("facts", *options.parts)}
    if options.again:
        for part, values in found.items():
            PRINT[part](values)
    draw(found, options.out)


if __name__ == "__main__":
    main()

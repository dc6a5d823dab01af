"""The memory of a recurrent network's gradient on npnets and Tianshou, as multiples of the required residuals."""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.cpu.cells import CELLS, RECURRENT, Cell, bytes_to_keep
from benchmarks.cpu.sides import LIBRARIES, start
from benchmarks.harness.record import Record

SIDES = LIBRARIES[:2]
MEASURED = [cell for cell in CELLS if cell.network in RECURRENT and cell.kind == "gradient" and cell.steps > 1]


def measure(record: Record, _: argparse.Namespace) -> None:
    """Measure every gradient in a fresh process."""
    record.write({"cells": [{**_about(cell), **{side: _bytes(cell, side) for side in SIDES}} for cell in MEASURED]})


def _about(cell: Cell) -> dict[str, Any]:
    return {"network": cell.network, "size": cell.size, "must_keep": bytes_to_keep(cell)}


def _bytes(cell: Cell, side: str) -> dict[str, int]:
    with start(side) as worker:
        return dict(zip(("kept", "peak", "left"), worker.call(memory=cell), strict=True))


def memory_table(found: dict[str, Any]) -> list[str]:
    """Return the lines of a table: bytes of the required residuals, and of a gradient as multiples of them."""
    lines = [
        f"{'':<34}{'npnets':^30}{'Tianshou':^30}".rstrip(),
        f"{'network':<18}{'size':>8}{'MB':>8}" + f"{'kept':>10}{'peak':>10}{'left':>10}" * 2,
    ]
    for cell in found["cells"]:
        multiples = "".join(f"{part / cell['must_keep']:>10.2f}" for side in SIDES for part in cell[side].values())
        lines.append(f"{cell['network']:<18}{cell['size']:>8}{cell['must_keep'] / 1e6:>8.1f}{multiples}")
    return [
        *lines,
        "MB: residuals that the backward requires. As multiples of them, without parameters and data: residuals",
        "between forward and backward, the peak of a gradient, and memory in use after the gradient is released.",
    ]

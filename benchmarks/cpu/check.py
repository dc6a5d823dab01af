"""Whether all sides of the benchmark of speed compute the same, from the same parameters and data.

Outputs, losses and gradients of the networks; the parameters after a few steps of Adam; and for the algorithms the
losses, parameters and targets' parameters after a few learning steps, in which NumPy's generator draws Tianshou's
random numbers too. Tianshou is what the others are held against.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cpu.cells import LIBRARIES, RECURRENT, SIDE, Cell, sides
from benchmarks.harness.differences import Outcomes, differences_table, outcomes
from benchmarks.harness.turns import Worker

ZERO = {f"1x1/{network}_gradient/lstm.layer_0.weight_hh" for network in RECURRENT}
"""In one step from a state of zeros, the weights that multiply it have a gradient of zero."""


def check(cells: Sequence[Cell]) -> bool:
    """Print the largest difference in each cell, and return whether all are small enough."""
    all_same, theirs = True, computed("tianshou", cells)
    for side in LIBRARIES:
        common = [cell for cell in cells if side in sides(cell)]
        if side == "tianshou" or not common:
            continue
        names = tuple(f"{cell.size}/{cell.workload}/" for cell in common)
        rival = {name: array for name, array in theirs.items() if name.startswith(names)}
        lines, same = differences_table(computed(side, common), rival, ZERO)
        print(f"\n{side} and tianshou", *lines, sep="\n", flush=True)
        all_same = all_same and same
    return all_same


def computed(side: str, cells: Sequence[Cell]) -> Outcomes:
    """Return what a side computes, by size, workload and name."""
    with Worker(SIDE.format(side), side) as worker:
        return outcomes(lambda file: worker.ask(outcomes=(file, cells)))

"""Compares the results of all sides of the speed benchmark, from the same parameters and data.

Compared with Tianshou are outputs, losses and gradients of the networks, the parameters after a few steps of Adam, and
for the algorithms losses, parameters and target parameters after a few learning steps, in which NumPy's generator also
draws Tianshou's random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cpu.cells import RECURRENT, Cell
from benchmarks.cpu.sides import OURS, kernels_of, sides, start
from benchmarks.harness.differences import Outcomes, differences_table, outcomes

ZERO = {f"1x1/{network}_gradient/lstm.layer_0.weight_hh" for network in RECURRENT}
"""Weights whose gradient is zero after one step, because they multiply the initial state of zeros."""


def check(cells: Sequence[Cell]) -> bool:
    """Print the largest difference in each cell, and return whether all are within the tolerance."""
    cells = [cell for cell in cells if "tianshou" in sides(cell)]
    all_same, theirs = True, computed("tianshou", cells)
    for side in (*kernels_of(OURS), "torch", "jax", "autograd"):
        common = [cell for cell in cells if side in sides(cell)]
        if not common:
            continue
        names = tuple(f"{cell.size}/{cell.workload}/" for cell in common)
        rival = {name: array for name, array in theirs.items() if name.startswith(names)}
        lines, same = differences_table(computed(side, common), rival, ZERO)
        print(f"\n{side} and tianshou", *lines, sep="\n", flush=True)
        all_same = all_same and same
    return all_same


def computed(side: str, cells: Sequence[Cell]) -> Outcomes:
    """Return a side's results, by size, workload and name."""
    with start(side) as worker:
        return outcomes(lambda file: worker.call(outcomes=(file, cells)))

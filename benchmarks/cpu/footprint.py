"""How long each side's import takes, and how much memory a process holds that has imported it, and that has acted."""

from __future__ import annotations

import statistics

from benchmarks.cpu.cells import Cell
from benchmarks.cpu.import_time import costs
from benchmarks.cpu.table import Footprint
from benchmarks.harness.turns import Worker

IMPORTS = {
    "npnets": "import npnets",
    "tianshou": "import torch; from tianshou.utils.net import common, continuous",
    "jax": "import jax, jax.numpy",
    "autograd": "import autograd.numpy",
}

ACTION = Cell("actor", "forward", 1)


def footprint(rounds: int) -> Footprint:
    """Measure each side in fresh processes: imports in turn, then one process that computes one action."""
    found: Footprint = {}
    for side, values in costs(IMPORTS, rounds).items():
        with Worker("speed", side, 1, 0.0) as worker:
            acted = worker.ask(resident=ACTION)
        held = statistics.median(held for _, held in values)
        found[side] = [seconds for seconds, _ in values], round(held), acted
    return found

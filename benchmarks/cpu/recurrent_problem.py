"""What is computed in the benchmark of the recurrent networks: sizes, first parameters and data.

Made with NumPy alone and from fixed seeds, so that each process makes the same numbers for itself. Knows neither
library. Parameters are nested dicts in npnets' layout: weights `(in, out)`, an LSTM's gates in the order i, f, g, o.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

OBS, ACT, HIDDEN = 17, 6, 128
NETWORKS = ("actor", "critic")
KINDS = ("forward", "gradient")
SIZES = ((1, 1), (64, 16), (256, 32))
"""Batch and steps."""


class Cell(NamedTuple):
    """One line of the table."""

    network: str
    kind: str
    batch: int
    steps: int

    @property
    def workload(self) -> str:
        """The network, and what is done with it."""
        return f"{self.network}_{self.kind}"

    @property
    def size(self) -> str:
        """Batch and steps."""
        return f"{self.batch}x{self.steps}"


CELLS = tuple(Cell(network, kind, *size) for network in NETWORKS for kind in KINDS for size in SIZES)


def first_parameters(network: str) -> dict[str, Any]:
    """Draw the parameters of an actor (`lstm`, `mu`, `log_sigma`) or a critic (`lstm`, `last`)."""
    rng, limit = np.random.default_rng(0), 1 / math.sqrt(HIDDEN)

    def draw(*shape: int) -> Array:
        return rng.uniform(-limit, limit, shape).astype(np.float32)

    gates = 4 * HIDDEN
    shapes = {"weight_ih": (OBS, gates), "weight_hh": (HIDDEN, gates), "bias_ih": (gates,), "bias_hh": (gates,)}
    lstm = {"layer_0": {name: draw(*shape) for name, shape in shapes.items()}}
    if network == "actor":
        return {"lstm": lstm, "mu": {"weight": draw(HIDDEN, ACT), "bias": draw(ACT)}, "log_sigma": draw(ACT)}
    return {"lstm": lstm, "last": {"weight": draw(HIDDEN + ACT, 1), "bias": draw(1)}}


def data(batch: int, steps: int) -> dict[str, Array]:
    """Draw observations `(batch, steps, OBS)`, and actions and returns `(batch, width)` of the last step."""
    rng = np.random.default_rng(1)
    drawn = {
        "obs": rng.standard_normal((batch, steps, OBS)),
        "act": rng.uniform(-1, 1, (batch, ACT)),
        "returns": rng.standard_normal((batch, 1)),
    }
    return {name: array.astype(np.float32) for name, array in drawn.items()}


def bytes_to_keep(batch: int, steps: int) -> int:
    """Return what the backward of the LSTM must keep, in float32: inputs, gates and states.

    For every row and step the input `x` and the four gates, and the hidden and cell state that enter it; and the cell
    state that leaves the last one. `tanh` of the cell state can be computed again.
    """
    rows = batch * steps
    return 4 * (rows * (OBS + 4 * HIDDEN + 2 * HIDDEN) + batch * HIDDEN)

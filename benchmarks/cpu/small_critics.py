"""The gradient of two small critics as one ensemble: 3 observations and 1 action, two hidden layers of 64.

At this size a call's cost is that of Python and of passes over small arrays, not of matrix products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import npnets
import npnets.numpy as nnp
from benchmarks.cpu.cells import Cell

OBS, ACT, MEMBERS = 3, 1, 2


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed: the mean squared error of both critics, and its gradient."""
    layer, rng = functools.partial(npnets.EnsembleLinear, MEMBERS), np.random.default_rng(0)
    trunk = npnets.Net(OBS, ACT, cell.hidden, concat=True, linear_layer=layer)
    critics = npnets.Critic(trunk, linear_layer=layer, flatten_input=False)
    params = critics.init(rng)
    obs, act, returns = (rng.standard_normal((cell.batch, width), np.float32) for width in (OBS, ACT, 1))

    def loss(params: Any) -> Any:
        return nnp.mean((critics.forward(params, obs, act) - returns) ** 2)

    value_and_grad = npnets.value_and_grad(loss)
    return lambda: value_and_grad(params)

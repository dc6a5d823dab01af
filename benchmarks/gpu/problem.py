"""What both sides compute in the GPU benchmarks: sizes, settings, first parameters and data.

Made with NumPy alone and from fixed seeds, so that each process makes the same numbers for itself. Knows neither
library. A network's parameters are *layers* here: a list of `(weight, bias)`, the weight `(in, out)`, all in float32;
hidden layers end in relu, an actor's last one in tanh.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Layers = list[tuple[Array, Array]]
Outcome = dict[str, NDArray[np.floating]]

OBS, ACT, HIDDEN = 17, 6, (256, 256)
LEARNING_RATE, TAU, GAMMA = 1e-3, 0.005, 0.99
EPS = 1e-5
"""Adam's; with its default of 1e-8, rounding alone can turn the whole step of an entry whose gradient is near zero."""

STEPS = 3
"""Learning steps that are taken before two sides' parameters are compared."""

INPUTS = {"actor": ("obs",), "critic": ("obs", "act")}
LABELS = {"actor": "act", "critic": "reward"}
"""What each network takes, and what it learns to return, with the mean squared error as its loss."""

WORKLOADS = tuple(f"{network}_{kind}" for network in INPUTS for kind in ("forward", "gradient", "step")) + ("td3_step",)
"""A step is a gradient, an Adam step and a soft update of a target network; TD3's is described in `td3_step` of
either side."""

_WIDTHS = {"actor": (OBS, ACT), "critic_1": (OBS + ACT, 1), "critic_2": (OBS + ACT, 1)}
NETWORKS = tuple(_WIDTHS)
CRITICS = NETWORKS[1:]


def first_layers() -> dict[str, Layers]:
    """Draw the layers of an actor and two critics, and of their targets (`target_actor`, ...), which differ."""
    rng = np.random.default_rng(0)
    return {target + name: _layers(rng, *widths) for target in ("", "target_") for name, widths in _WIDTHS.items()}


def _layers(rng: np.random.Generator, inputs: int, outputs: int) -> Layers:
    def draw(fan_in: int, *shape: int) -> Array:
        limit = 1 / math.sqrt(fan_in)
        return rng.uniform(-limit, limit, shape).astype(np.float32)

    return [(draw(m, m, n), draw(m, n)) for m, n in pairwise((inputs, *HIDDEN, outputs))]


def transitions(batch: int) -> dict[str, Array]:
    """Draw a batch of transitions, every array `(batch, width)`; `noise` smooths the target actor's actions."""
    rng = np.random.default_rng(1)
    drawn = {
        "obs": rng.standard_normal((batch, OBS)),
        "act": rng.uniform(-1, 1, (batch, ACT)),
        "reward": rng.standard_normal((batch, 1)),
        "next_obs": rng.standard_normal((batch, OBS)),
        "terminal": rng.random((batch, 1)) < 0.05,
        "noise": np.clip(rng.normal(scale=0.2, size=(batch, ACT)), -0.5, 0.5),
    }
    return {name: np.asarray(array, np.float32) for name, array in drawn.items()}


def named(network: str, layers: Layers) -> Outcome:
    """Name the arrays of a network's layers, so that two sides can be compared: `actor.0.weight`, ..."""
    arrays: Outcome = {}
    for index, (weight, bias) in enumerate(layers):
        arrays |= {f"{network}.{index}.weight": weight, f"{network}.{index}.bias": bias}
    return arrays


def gradient_outcome(loss: NDArray[np.floating], network: str, gradient: Layers) -> Outcome:
    """What a loss and its gradient are compared by: both, and the gradient's norm."""
    arrays = named(network, gradient)
    norm = np.sqrt(sum(np.vdot(array, array) for array in arrays.values()))
    return {"loss": np.asarray(loss), "gradient norm": np.asarray(norm), **arrays}

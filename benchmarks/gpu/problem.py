"""The task of the GPU benchmarks: sizes, settings, initial parameters and data.

Numbers come from NumPy with fixed seeds, so that each process draws the same ones. A network's parameters are *layers*
here: a list of `(weight, bias)`, the weight `(in, out)`, all in float32. Hidden layers end in relu, an actor's last one
in tanh.
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
"""Adam's epsilon; with the default of 1e-8, rounding can change the sign of a step whose gradient is near zero."""

STEPS = 3
"""Learning steps before two sides' parameters are compared."""

INPUTS = {"actor": ("obs",), "critic": ("obs", "act")}
LABELS = {"actor": "act", "critic": "reward"}
"""The inputs and the target of each network; its loss is the mean squared error."""

WORKLOADS = tuple(f"{network}_{kind}" for network in INPUTS for kind in ("forward", "gradient", "step")) + ("td3_step",)
"""A step is a gradient, an Adam update and a soft update of a target network; `TD3Step` describes TD3's."""

_WIDTHS = {"actor": (OBS, ACT), "critic_1": (OBS + ACT, 1), "critic_2": (OBS + ACT, 1)}
NETWORKS = tuple(_WIDTHS)
CRITICS = NETWORKS[1:]


def first_layers() -> dict[str, Layers]:
    """Draw different layers for an actor, two critics, and their targets (`target_actor`, ...)."""
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
    """Return the arrays of a network's layers by name, `actor.0.weight` and so on, for comparisons."""
    arrays: Outcome = {}
    for index, (weight, bias) in enumerate(layers):
        arrays |= {f"{network}.{index}.weight": weight, f"{network}.{index}.bias": bias}
    return arrays


def gradient_outcome(loss: NDArray[np.floating], network: str, gradient: Layers) -> Outcome:
    """Return a loss, its gradient and the gradient's norm, for comparisons."""
    arrays = named(network, gradient)
    norm = np.sqrt(sum(np.vdot(array, array) for array in arrays.values()))
    return {"loss": np.asarray(loss), "gradient norm": np.asarray(norm), **arrays}

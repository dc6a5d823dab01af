"""The cells of the speed benchmark, their initial parameters and data.

Numbers come from NumPy with fixed seeds, so that each process draws the same ones. Parameters are nested dicts in
npnets' layout: weights `(in, out)`, an ensemble's `(members, in, out)`, an LSTM's gates in the order i, f, g, o. The
transitions are those of `gpu/problem.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.problem import ACT, EPS, GAMMA, LEARNING_RATE, OBS, STEPS, TAU, transitions  # noqa: F401

Array = NDArray[np.float32]
Params = dict[str, Any]

LATENT, MEMBERS, ALPHA = 2 * ACT, 10, 0.2
NOISE, NOISE_LIMIT = 0.2, 0.5
"""Noise of TD3 on the target actor's actions."""

NETWORKS = ("actor", "actor_prob", "critic", "vae", "ensemble")
RECURRENT, HIDDEN = ("recurrent_actor", "recurrent_critic"), 128
"""The networks with an LSTM, and the size of its states."""

OUTPUTS = {
    "actor": ("action",),
    "actor_prob": ("mu", "sigma"),
    "critic": ("value",),
    "vae": ("reconstruction", "mean", "std"),
    "ensemble": ("value",),
    "recurrent_actor": ("mu", "sigma", "hidden", "cell"),
    "recurrent_critic": ("value",),
}
"""The names of a network's outputs, in order."""

BATCHES = (1, 32, 256, 1024)
SEQUENCES = ((1, 1), (64, 16), (256, 32))
"""Batch and steps of the recurrent networks."""

TWINS = "twin_critics"
"""Two critics as one ensemble, whose cell is smaller than the others."""

KINDS = ("forward", "gradient")
"""The kinds that the geometric means are over."""


class Cell(NamedTuple):
    """One line of the table: kind of computation, network or algorithm, and sizes.

    `forward` and `gradient` are those of a network; `adam` is one step of Adam for a network's parameters; `small` is
    the gradient of two small critics; `learn` is Tianshou's `policy.learn`, and `whole` also computes the targets
    before it.
    """

    network: str
    kind: str
    batch: int
    steps: int = 1
    width: int = 256
    depth: int = 2

    @property
    def workload(self) -> str:
        """The network or algorithm, and the kind of computation."""
        return f"{self.network}_{self.kind}"

    @property
    def size(self) -> str:
        """The batch size, and the number of steps of sequences."""
        return f"{self.batch}x{self.steps}" if self.network in RECURRENT else str(self.batch)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return (self.width,) * self.depth


CELLS = (
    *(Cell(network, kind, batch) for network in NETWORKS for kind in KINDS for batch in BATCHES),
    *(Cell(network, kind, *size) for network in RECURRENT for kind in KINDS for size in SEQUENCES),
    Cell("actor", "adam", 256),
    Cell(TWINS, "small", 128, width=64),
    *(Cell(algorithm, "learn", 256) for algorithm in ("td3", "sac", "bcq")),
    *(Cell(algorithm, "whole", 256) for algorithm in ("td3", "sac")),
)


def first_parameters(cell: Cell) -> Params:
    """Draw the parameters of a cell's network, or different parameters for each of an algorithm's networks, by name."""
    rng = np.random.default_rng(0)
    names = ALGORITHMS.get(cell.network)
    if names is None:
        return PARAMETERS[cell.network](rng, cell.hidden)
    return {name: PARAMETERS[network](rng, cell.hidden) for name, network in names.items()}


def first_gradient(cell: Cell) -> Params:
    """Draw a gradient with the shapes of a cell's parameters."""
    return PARAMETERS[cell.network](np.random.default_rng(2), cell.hidden)


def data(cell: Cell) -> dict[str, Array]:
    """Draw inputs and targets, every array `(batch, width)`; a recurrent network's observations also have steps."""
    if cell.network in RECURRENT:
        return _sequences(cell)
    given = transitions(cell.batch)
    return {name: given[name] for name in ("obs", "act", "reward", "next_obs", "terminal")}


def by_path(params: Any, path: str = "") -> dict[str, Any]:
    """Return the arrays of nested dicts by their paths, `last.linear_0.weight`."""
    if not isinstance(params, dict):
        return {path: params}
    parts = (by_path(part, f"{path}.{name}".lstrip(".")) for name, part in params.items())
    return {name: leaf for part in parts for name, leaf in part.items()}


def _sequences(cell: Cell) -> dict[str, Array]:
    """Draw observations `(batch, steps, OBS)`, and actions and rewards `(batch, width)` of the last step."""
    rng = np.random.default_rng(1)
    drawn = {
        "obs": rng.standard_normal((cell.batch, cell.steps, OBS)),
        "act": rng.uniform(-1, 1, (cell.batch, ACT)),
        "reward": rng.standard_normal((cell.batch, 1)),
    }
    return {name: array.astype(np.float32) for name, array in drawn.items()}


def bytes_to_keep(cell: Cell) -> int:
    """Return the bytes of residuals that the backward of an LSTM needs, in float32: inputs, gates and states.

    For every row and step, these are the input `x`, the four gates, and the hidden and cell state before the step; and
    the last cell state. `tanh` of the cell state can be recomputed.
    """
    rows = cell.batch * cell.steps
    return 4 * (rows * (OBS + 4 * HIDDEN + 2 * HIDDEN) + cell.batch * HIDDEN)


def noise(cell: Cell) -> Array:
    """Draw the noise of the VAE's latent vectors, for comparisons."""
    return np.random.default_rng(3).standard_normal((cell.batch, LATENT)).astype(np.float32)


def _linear(rng: np.random.Generator, inputs: int, outputs: int, members: tuple[int, ...] = ()) -> Params:
    limit = 1 / math.sqrt(inputs)
    shapes = {"weight": (*members, inputs, outputs), "bias": (*members, *(1 for _ in members), outputs)}
    return {name: _uniform(rng, limit, shape) for name, shape in shapes.items()}


def _uniform(rng: np.random.Generator, limit: float, shape: tuple[int, ...]) -> Array:
    """Draw without temporary arrays: `growth` measures up to the end of memory, and drawing must not need more."""
    drawn = rng.random(shape, np.float32)
    drawn *= 2 * limit
    drawn -= limit
    return drawn


def _mlp(rng: np.random.Generator, *widths: int, members: tuple[int, ...] = ()) -> Params:
    return {f"linear_{index}": _linear(rng, *pair, members) for index, pair in enumerate(pairwise(widths))}


def _actor(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    return {"preprocess": {"model": _mlp(rng, OBS, *hidden)}, "last": _mlp(rng, hidden[-1], ACT)}


def _actor_prob(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    mu = {"preprocess": {"model": _mlp(rng, OBS, *hidden)}, "mu": _mlp(rng, hidden[-1], ACT)}
    return {**mu, "log_sigma": rng.uniform(-1, 0, ACT).astype(np.float32)}


def _conditioned_actor(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    heads = {name: _mlp(rng, hidden[-1], ACT) for name in ("mu", "sigma")}
    return {"preprocess": {"model": _mlp(rng, OBS, *hidden)}, **heads}


def _critic(rng: np.random.Generator, hidden: tuple[int, ...], members: tuple[int, ...] = ()) -> Params:
    trunk = _mlp(rng, OBS + ACT, *hidden, members=members)
    return {"preprocess": {"model": trunk}, "last": _mlp(rng, hidden[-1], 1, members=members)}


def _ensemble(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    return _critic(rng, hidden, (MEMBERS,))


def _vae(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    heads = {name: _linear(rng, hidden[-1], LATENT) for name in ("mean", "log_std")}
    encoder, decoder = _mlp(rng, OBS + ACT, *hidden), _mlp(rng, OBS + LATENT, *hidden, ACT)
    return {"encoder": encoder, **heads, "decoder": decoder}


def _perturbation(rng: np.random.Generator, hidden: tuple[int, ...]) -> Params:
    return {"preprocess": {"model": _mlp(rng, OBS + ACT, *hidden, ACT)}}


def _lstm(rng: np.random.Generator) -> Params:
    gates = 4 * HIDDEN
    shapes = {"weight_ih": (OBS, gates), "weight_hh": (HIDDEN, gates), "bias_ih": (gates,), "bias_hh": (gates,)}
    limit = 1 / math.sqrt(HIDDEN)
    return {"layer_0": {name: _uniform(rng, limit, shape) for name, shape in shapes.items()}}


def _recurrent_actor(rng: np.random.Generator, _: tuple[int, ...]) -> Params:
    log_sigma = rng.uniform(-1, 0, ACT).astype(np.float32)
    return {"lstm": _lstm(rng), "mu": _linear(rng, HIDDEN, ACT), "log_sigma": log_sigma}


def _recurrent_critic(rng: np.random.Generator, _: tuple[int, ...]) -> Params:
    return {"lstm": _lstm(rng), "last": _linear(rng, HIDDEN + ACT, 1)}


PARAMETERS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Params]] = {
    "actor": _actor,
    "actor_prob": _actor_prob,
    "conditioned_actor": _conditioned_actor,
    "critic": _critic,
    "ensemble": _ensemble,
    "vae": _vae,
    "perturbation": _perturbation,
    "recurrent_actor": _recurrent_actor,
    "recurrent_critic": _recurrent_critic,
}

CRITICS = {"critic_1": "critic", "critic_2": "critic"}
ALGORITHMS = {
    "td3": {"actor": "actor", **CRITICS},
    "sac": {"actor": "conditioned_actor", **CRITICS},
    "bcq": {"perturbation": "perturbation", **CRITICS, "vae": "vae"},
}
"""The networks of each algorithm; targets start as copies."""

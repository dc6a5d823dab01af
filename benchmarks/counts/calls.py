"""The calls that are counted: forward passes, gradients, parts of a training step, and whole learning steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cpu import cells, npnets_side
from benchmarks.cpu.cells import TWINS, Cell
from npnets import ActorProb, Net, optim
from npnets.distributions import SquashedGaussian

WIDTH = 64
"""Width of hidden layers: Valgrind takes a hundred times as long for a product as the processor."""

CELLS = {
    "actor forward, 1": Cell("actor", "forward", 1, width=WIDTH),
    "actor forward, 256": Cell("actor", "forward", 256, width=WIDTH),
    "actor gradient, 1": Cell("actor", "gradient", 1, width=WIDTH),
    "actor gradient, 128": Cell("actor", "gradient", 128, width=WIDTH),
    "critic gradient, 128": Cell("critic", "gradient", 128, width=WIDTH),
    "gradient of two small critics, 128": Cell(TWINS, "small", 128, width=WIDTH),
    "VAE gradient, 32": Cell("vae", "gradient", 32, width=WIDTH),
    "recurrent actor forward, 4 x 4": Cell("recurrent_actor", "forward", 4, 4),
    "recurrent actor gradient, 4 x 4": Cell("recurrent_actor", "gradient", 4, 4),
    "adam step": Cell("actor", "adam", 256, width=WIDTH),
    "TD3 step, 64": Cell("td3", "whole", 64, width=WIDTH),
    "SAC step, 64": Cell("sac", "whole", 64, width=WIDTH),
}
"""Cells of the speed benchmark that are counted as well, by name."""


def soft_update() -> Callable[[], Any]:
    """Return a soft update of an actor's parameters."""
    source = cells.first_parameters(CELLS["adam step"])
    return lambda: optim.soft_update(target=source, source=source, tau=cells.TAU)


def clip() -> Callable[[], Any]:
    """Return the clipping of an actor's gradient, whose norm is above the limit."""
    gradient = cells.first_gradient(CELLS["adam step"])
    return lambda: optim.clip_by_global_norm(gradient, 1.0)


def squashed_sample() -> Callable[[], Any]:
    """Return the draw of squashed actions with their log-density."""
    net = ActorProb(Net(cells.OBS, hidden_sizes=(16,)), cells.ACT, unbounded=True, conditioned_sigma=True)
    rng = np.random.default_rng(0)
    params, obs = net.init(rng), rng.standard_normal((256, cells.OBS), np.float32)
    distribution, _ = SquashedGaussian.from_actor(net, params, obs, -1.0, 1.0)
    return lambda: distribution.sample_and_log_prob(rng)


def calls() -> dict[str, Callable[[], Any]]:
    """Return every counted call by name."""
    made = {name: npnets_side.make(cell) for name, cell in CELLS.items()}
    return {
        **made,
        "soft update": soft_update(),
        "clip by global norm": clip(),
        "squashed sample, 256": squashed_sample(),
    }

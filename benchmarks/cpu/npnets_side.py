"""The cells of the benchmark of speed on npnets, written as a user would."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

import npnets
import npnets.numpy as np
from benchmarks.cpu import recurrent_npnets
from benchmarks.cpu import steps_npnets as speed_learning_npnets
from benchmarks.cpu.cells import (
    ACT,
    ANSWERS,
    EPS,
    KINDS,
    LATENT,
    LEARNING_RATE,
    MEMBERS,
    OBS,
    STEPS,
    Cell,
    data,
    first_gradient,
    first_parameters,
    noise,
)
from benchmarks.cpu.losses import loss
from npnets import optim, tree

Answer = Callable[[Any], tuple[Any, ...]]


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    if cell.recurrent:
        return recurrent_npnets.make(cell.recurrent)
    if cell.kind in KINDS:
        return evaluation(cell, {"rng": numpy.random.default_rng(0)})
    return Adam(cell) if cell.kind == "adam" else speed_learning_npnets.make(cell, numpy.random.default_rng(0))


def evaluation(cell: Cell, draw: dict[str, Any]) -> Callable[[], Any]:
    """Return a network's answer, or a loss and its gradient; `draw` is how the VAE gets its noise."""
    params, given = first_parameters(cell), data(cell)
    run = answer(cell, given, draw)
    if cell.kind == "forward":
        return lambda: run(params)
    value_and_grad = npnets.value_and_grad(lambda params: loss(np, cell.network, run(params), given))
    return lambda: value_and_grad(params)


def answer(cell: Cell, given: dict[str, Any], draw: dict[str, Any]) -> Answer:
    """Return a network's answer as a function of its parameters."""
    net, obs, act = network(cell), given["obs"], given["act"]
    if isinstance(net, npnets.VAE):
        return lambda params: net.forward(params, obs, act, **draw)
    if isinstance(net, npnets.Critic):
        return lambda params: (net.forward(params, obs, act),)
    if isinstance(net, npnets.ActorProb):
        return lambda params: net.forward(params, obs)[0]
    return lambda params: net.forward(params, obs)[:1]


def network(cell: Cell) -> Any:
    """Describe a cell's network."""
    hidden = cell.hidden
    if cell.network == "actor":
        return npnets.Actor(npnets.Net(OBS, hidden_sizes=hidden), ACT)
    if cell.network == "actor_prob":
        return npnets.ActorProb(npnets.Net(OBS, hidden_sizes=hidden), ACT)
    if cell.network == "critic":
        return npnets.Critic(npnets.Net(OBS, ACT, hidden, concat=True))
    if cell.network == "vae":
        encoder, decoder = npnets.MLP(OBS + ACT, 0, hidden), npnets.MLP(OBS + LATENT, ACT, hidden)
        return npnets.VAE(encoder, decoder, hidden[-1], LATENT, 1.0)
    members = functools.partial(npnets.EnsembleLinear, MEMBERS)
    trunk = npnets.Net(OBS, ACT, hidden, concat=True, linear_layer=members)
    return npnets.Critic(trunk, linear_layer=members, flatten_input=False)


class Adam:
    """A step of Adam with one gradient again and again."""

    def __init__(self, cell: Cell) -> None:
        self.params, self.gradient = first_parameters(cell), first_gradient(cell)
        self.optimizer = optim.adam(LEARNING_RATE, eps=EPS)
        self.state = self.optimizer.init(self.params)

    def __call__(self) -> None:
        self.params, self.state = self.optimizer.update(params=self.params, grads=self.gradient, state=self.state)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return what the call gives, by name; of steps, the parameters after a few."""
    if cell.recurrent:
        return recurrent_npnets.outcome(cell.recurrent)
    if cell.kind == "adam":
        adam = Adam(cell)
        for _ in range(STEPS):
            adam()
        return named(adam.params)
    if cell.kind not in KINDS:
        return speed_learning_npnets.outcome(cell)
    found = evaluation(cell, {"noise": noise(cell)})()
    if cell.kind == "gradient":
        return {"loss": found[0], **named(found[1])}
    return dict(zip(ANSWERS[cell.network], found, strict=True))


def named(params: Any) -> dict[str, Any]:
    """Return the leaves of a tree by their paths."""
    return dict(zip(tree.paths(params), tree.leaves(params), strict=True))


facts = recurrent_npnets.facts

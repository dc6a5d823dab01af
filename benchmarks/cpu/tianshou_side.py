"""The cells of the benchmark of speed on Tianshou 1.0.0 with PyTorch: its own networks, its own policies.

Where PyTorch offers several ways, the quickest of the usual ones is taken: tensors that are there already, inference
mode for answers, gradients of the parameters alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from tianshou.utils.net.common import MLP, EnsembleLinear, Net
from tianshou.utils.net.continuous import VAE, Actor, ActorProb, Critic
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks.cpu import recurrent_tianshou
from benchmarks.cpu import steps_tianshou as speed_learning_tianshou
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
from benchmarks.cpu.tianshou_parameters import arrays, load


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    if cell.recurrent:
        return recurrent_tianshou.make(cell.recurrent)
    if cell.kind in KINDS:
        return evaluation(cell)
    return adam(cell)[1].step if cell.kind == "adam" else speed_learning_tianshou.make(cell)[1]


def evaluation(cell: Cell) -> Callable[[], Any]:
    """Return a network's answer in inference mode, or a loss and its gradient."""
    net, given = network(cell), {name: torch.as_tensor(array) for name, array in data(cell).items()}
    inputs = (given["obs"],) if isinstance(net, (Actor, ActorProb)) else (given["obs"], given["act"])

    def run() -> tuple[Tensor, ...]:
        found = net(*inputs)
        if isinstance(net, Critic):
            return (found,)
        if isinstance(net, VAE):
            return found
        return found[0] if isinstance(net, ActorProb) else found[:1]

    if cell.kind == "forward":
        return torch.inference_mode()(run)
    params = list(net.parameters())

    def gradient() -> tuple[Tensor, tuple[Tensor, ...]]:
        value = loss(cell.network, run(), given)
        return value, torch.autograd.grad(value, params)

    return gradient


def network(cell: Cell) -> nn.Module:
    """Return a cell's network with the first parameters."""
    net = _NETWORKS[cell.network](cell.hidden)
    load(net, first_parameters(cell))
    return net


def _vae(hidden: tuple[int, ...]) -> VAE:
    encoder, decoder = MLP(OBS + ACT, hidden_sizes=hidden), MLP(OBS + LATENT, ACT, hidden_sizes=hidden)
    return VAE(encoder, decoder, hidden[-1], LATENT, 1.0)


def _ensemble(hidden: tuple[int, ...]) -> Critic:
    members = functools.partial(EnsembleLinear, MEMBERS)
    trunk = Net(OBS, ACT, hidden_sizes=hidden, concat=True, linear_layer=members)
    return Critic(trunk, linear_layer=members, flatten_input=False)


_NETWORKS: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {
    "actor": lambda hidden: Actor(Net(OBS, hidden_sizes=hidden), ACT),
    "actor_prob": lambda hidden: ActorProb(Net(OBS, hidden_sizes=hidden), ACT),
    "critic": lambda hidden: Critic(Net(OBS, ACT, hidden_sizes=hidden, concat=True)),
    "vae": _vae,
    "ensemble": _ensemble,
}


def loss(name: str, answer: tuple[Tensor, ...], given: dict[str, Tensor]) -> Tensor:
    """Return the loss of a network's answer; that of the VAE as Tianshou's BCQ writes it."""
    if name == "vae":
        reconstruction, mean, std = answer
        divergence = (-torch.log(std) + (std.pow(2) + mean.pow(2) - 1) / 2).mean()
        return mse_loss(given["act"], reconstruction) + divergence / 2
    if name in ("critic", "ensemble"):
        return mse_loss(answer[0], given["reward"].expand_as(answer[0]))
    error = mse_loss(answer[0], given["act"])
    return error if name == "actor" else error + answer[1].mean()


def adam(cell: Cell) -> tuple[nn.Module, torch.optim.Adam]:
    """Return a network with a gradient, and the Adam that takes steps with it."""
    net, gradient = network(cell), network(cell)
    load(gradient, first_gradient(cell))
    for parameter, drawn in zip(net.parameters(), gradient.parameters(), strict=True):
        parameter.grad = drawn.detach()
    return net, torch.optim.Adam(net.parameters(), LEARNING_RATE, eps=EPS)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return what the call gives, by name, as arrays in npnets' layout; of steps, the parameters after a few."""
    if cell.recurrent:
        return recurrent_tianshou.outcome(cell.recurrent)
    if cell.kind == "adam":
        net, optimizer = adam(cell)
        for _ in range(STEPS):
            optimizer.step()
        return arrays(net, net.parameters())
    if cell.kind not in KINDS:
        with drawn_with(np.random.default_rng(0), np.float32 if cell.network == "td3" else np.float64):
            return speed_learning_tianshou.outcome(cell)
    with mock.patch("torch.randn_like", lambda like: torch.as_tensor(noise(cell))):
        found = evaluation(cell)()
    if cell.kind == "gradient":
        return {"loss": found[0].detach().numpy(), **arrays(network(cell), found[1])}
    return {name: tensor.numpy() for name, tensor in zip(ANSWERS[cell.network], found, strict=True)}


@contextmanager
def drawn_with(rng: np.random.Generator, dtype: type) -> Iterator[None]:
    """Let NumPy draw all normal numbers that Tianshou asks PyTorch for, in the order in which it does."""

    def draw(size: Any, *_: Any, **options: Any) -> Tensor:
        return torch.as_tensor(rng.standard_normal(tuple(size), dtype).astype(np.float32))

    with (
        mock.patch("torch.randn", draw),
        mock.patch("torch.randn_like", lambda like: draw(like.shape)),
        mock.patch("torch.distributions.normal._standard_normal", draw),
    ):
        yield


facts = recurrent_tianshou.facts

"""The cells of the speed benchmark on Tianshou 1.0.0 with PyTorch: its own networks, its own policies.

If PyTorch offers several usual ways, the fastest is used: preallocated tensors, inference mode for outputs, gradients
of the parameters only.
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
from tianshou.utils.net.continuous import VAE, Actor, ActorProb, Critic, RecurrentActorProb, RecurrentCritic
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.cpu import cells, steps_tianshou
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.tianshou_parameters import arrays, load
from benchmarks.cpu.torch_data import loss, tensors


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    if cell.kind in cells.KINDS:
        return evaluation(cell)
    return adam(cell)[1].step if cell.kind == "adam" else steps_tianshou.make(cell)[1]


def evaluation(cell: Cell) -> Callable[[], Any]:
    """Return a network's output in inference mode, or a loss and its gradient."""
    net, given = network(cell), tensors(cell)
    run = output(net, given)
    if cell.kind == "forward":
        return torch.inference_mode()(run)
    params = list(net.parameters())

    def gradient() -> tuple[Tensor, tuple[Tensor, ...]]:
        value = loss(cell.network, run(), given)
        return value, torch.autograd.grad(value, params)

    return gradient


def output(net: nn.Module, given: dict[str, Tensor]) -> Callable[[], tuple[Tensor, ...]]:
    """Return a network's outputs, in the order of `cells.OUTPUTS`."""
    alone = isinstance(net, (Actor, ActorProb, RecurrentActorProb))
    inputs = (given["obs"],) if alone else (given["obs"], given["act"])
    if isinstance(net, VAE):
        return lambda: net(*inputs)
    if isinstance(net, (Critic, RecurrentCritic)):
        return lambda: (net(*inputs),)
    if isinstance(net, RecurrentActorProb):
        return lambda: with_state(*net(*inputs))
    if isinstance(net, ActorProb):
        return lambda: net(*inputs)[0]
    return lambda: net(*inputs)[:1]


def with_state(head: tuple[Tensor, Tensor], state: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """Return a recurrent actor's mean and standard deviation with its state behind them."""
    return (*head, state["hidden"], state["cell"])


def network(cell: Cell) -> nn.Module:
    """Return a cell's network with the initial parameters."""
    net = _NETWORKS[cell.network](cell.hidden)
    load(net, cells.first_parameters(cell))
    return net


def _vae(hidden: tuple[int, ...]) -> VAE:
    encoder, decoder = (
        MLP(cells.OBS + cells.ACT, hidden_sizes=hidden),
        MLP(cells.OBS + cells.LATENT, cells.ACT, hidden_sizes=hidden),
    )
    return VAE(encoder, decoder, hidden[-1], cells.LATENT, 1.0)


def _ensemble(hidden: tuple[int, ...]) -> Critic:
    members = functools.partial(EnsembleLinear, cells.MEMBERS)
    trunk = Net(cells.OBS, cells.ACT, hidden_sizes=hidden, concat=True, linear_layer=members)
    return Critic(trunk, linear_layer=members, flatten_input=False)


_NETWORKS: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {
    "actor": lambda hidden: Actor(Net(cells.OBS, hidden_sizes=hidden), cells.ACT),
    "actor_prob": lambda hidden: ActorProb(Net(cells.OBS, hidden_sizes=hidden), cells.ACT),
    "critic": lambda hidden: Critic(Net(cells.OBS, cells.ACT, hidden_sizes=hidden, concat=True)),
    "vae": _vae,
    "ensemble": _ensemble,
    "recurrent_actor": lambda _: RecurrentActorProb(1, [cells.OBS], [cells.ACT], cells.HIDDEN),
    "recurrent_critic": lambda _: RecurrentCritic(1, [cells.OBS], [cells.ACT], hidden_layer_size=cells.HIDDEN),
}


def adam(cell: Cell) -> tuple[nn.Module, torch.optim.Adam]:
    """Return a network with a gradient, and its Adam optimizer."""
    net, gradient = network(cell), network(cell)
    load(gradient, cells.first_gradient(cell))
    for parameter, drawn in zip(net.parameters(), gradient.parameters(), strict=True):
        parameter.grad = drawn.detach()
    return net, torch.optim.Adam(net.parameters(), cells.LEARNING_RATE, eps=cells.EPS)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return the results of the call by name, in npnets' layout; for steps, the parameters after a few of them."""
    if cell.kind == "adam":
        net, optimizer = adam(cell)
        for _ in range(cells.STEPS):
            optimizer.step()
        return arrays(net, net.parameters())
    if cell.kind not in cells.KINDS:
        with drawn_with(np.random.default_rng(0), np.float32 if cell.network == "td3" else np.float64):
            return steps_tianshou.outcome(cell)
    with mock.patch("torch.randn_like", lambda like: torch.as_tensor(cells.noise(cell))):
        found = evaluation(cell)()
    if cell.kind == "gradient":
        return {"loss": found[0].detach().numpy(), **arrays(network(cell), found[1])}
    return {name: tensor.numpy() for name, tensor in zip(cells.OUTPUTS[cell.network], found, strict=True)}


@contextmanager
def drawn_with(rng: np.random.Generator, dtype: type) -> Iterator[None]:
    """Replace PyTorch's normal random numbers by NumPy's, in the order in which Tianshou draws them."""

    def draw(size: Any, *_: Any, **options: Any) -> Tensor:
        return torch.as_tensor(rng.standard_normal(tuple(size), dtype).astype(np.float32))

    with (
        mock.patch("torch.randn", draw),
        mock.patch("torch.randn_like", lambda like: draw(like.shape)),
        mock.patch("torch.distributions.normal._standard_normal", draw),
    ):
        yield


def memory(cell: Cell) -> tuple[int, int, int]:
    """Return bytes: residuals between forward and backward, the peak of a gradient, and memory after its release."""
    net, given = network(cell), tensors(cell)
    there = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *given.values())}
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss(cell.network, output(net, given)(), given)
    gradient = make(cell)
    gradient()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        gradient()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    used = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        used += event.nbytes()
        peak = max(peak, used)
    return sum(kept.values()), peak, used

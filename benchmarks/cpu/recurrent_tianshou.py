"""The recurrent networks of Tianshou 1.0.0 on PyTorch, under the names that `cpu/recurrent_npnets.py` gives its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from tianshou.utils.net.continuous import RecurrentActorProb, RecurrentCritic
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.profiler import ProfilerActivity, profile

from benchmarks.cpu.recurrent_problem import ACT, HIDDEN, OBS, Cell, data, first_parameters
from benchmarks.cpu.tianshou_parameters import arrays, load

Network = RecurrentActorProb | RecurrentCritic


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed: a network's answer in inference mode, or a loss and its gradient."""
    net, given = network(cell.network), tensors(cell)
    if cell.kind == "gradient":
        params = list(net.parameters())

        def gradient() -> tuple[Tensor, tuple[Tensor, ...]]:
            value = loss(net, given)
            return value, torch.autograd.grad(value, params)

        return gradient
    inputs = (given["obs"],) if cell.network == "actor" else (given["obs"], given["act"])
    return torch.inference_mode()(lambda: net(*inputs))


def network(name: str) -> Network:
    """Return a network with the first parameters."""
    if name == "actor":
        net = RecurrentActorProb(1, [OBS], [ACT], HIDDEN)
    else:
        net = RecurrentCritic(1, [OBS], [ACT], hidden_layer_size=HIDDEN)
    load(net, first_parameters(name))
    return net


def tensors(cell: Cell) -> dict[str, Tensor]:
    """Return the data."""
    return {name: torch.as_tensor(array) for name, array in data(cell.batch, cell.steps).items()}


def loss(net: Network, given: dict[str, Tensor]) -> Tensor:
    """Return the loss."""
    if isinstance(net, RecurrentCritic):
        return mse_loss(net(given["obs"], given["act"]), given["returns"])
    (mu, sigma), _ = net(given["obs"])
    return mse_loss(mu, given["act"]) + sigma.mean()


def outcome(cell: Cell) -> dict[str, Any]:
    """Return what the call gives, by name, as arrays in npnets' layout."""
    answer = make(cell)()
    if cell.kind == "gradient":
        return {"loss": answer[0].detach().numpy(), **arrays(network(cell.network), answer[1])}
    if cell.network == "critic":
        found = {"value": answer}
    else:
        (mu, sigma), state = answer
        found = {"mu": mu, "sigma": sigma, **state}
    return {name: tensor.numpy() for name, tensor in found.items()}


def memory(cell: Cell) -> tuple[int, int, int]:
    """Return bytes: kept between a gradient's forward and backward, those at its peak, and left when it is dropped."""
    net, given = network(cell.network), tensors(cell)
    there = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *given.values())}
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss(net, given)
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


def facts() -> dict[str, str]:
    """Versions."""
    return {"tianshou": version("tianshou"), "torch": torch.__version__}

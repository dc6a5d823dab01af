"""The recurrent networks of Tianshou 1.0.0 on PyTorch, under the names that `recurrent_npnets.py` gives its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from recurrent_problem import ACT, HIDDEN, OBS, Array, Cell, data, first_parameters
from tianshou.utils.net.continuous import RecurrentActorProb, RecurrentCritic
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.profiler import ProfilerActivity, profile

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
    named, values = by_path(net), dict(leaves(first_parameters(name)))
    for path, parameter in named.items():
        parameter.data = torch.as_tensor(values.pop(path).T.copy()).reshape(parameter.shape)
    assert not values, values.keys()
    return net


def by_path(net: Network) -> dict[str, nn.Parameter]:
    """Return the parameters by npnets' paths."""
    paths = {"fc2": "last", "sigma_param": "log_sigma"}
    named = {}
    for name, parameter in net.named_parameters():
        part, _, rest = name.partition(".")
        path = f"lstm.layer_0.{rest.removesuffix('_l0')}" if part == "nn" else f"{paths.get(part, part)}.{rest}"
        named[path.rstrip(".")] = parameter
    return named


def leaves(tree: dict[str, Any], path: str = "") -> list[tuple[str, Array]]:
    """Return the arrays of nested dicts with their paths."""
    if not isinstance(tree, dict):
        return [(path.lstrip("."), tree)]
    return [leaf for name, part in tree.items() for leaf in leaves(part, f"{path}.{name}")]


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
        gradients = zip(by_path(network(cell.network)), answer[1], strict=True)
        found = {path: g[:, 0] if path == "log_sigma" else g.T if g.ndim == 2 else g for path, g in gradients}
        found["loss"] = answer[0].detach()
    elif cell.network == "critic":
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

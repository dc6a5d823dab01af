"""The cells of the speed benchmark on PyTorch alone, without a reinforcement-learning library.

As on the other side with PyTorch, the fastest usual way is used: preallocated tensors, inference mode for outputs,
gradients of the parameters only, and the fused Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from benchmarks.cpu import cells
from benchmarks.cpu.cells import Array, Cell, Params
from benchmarks.cpu.torch_data import loss, tensors
from benchmarks.cpu.torch_networks import NETWORKS


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    return adam(cell)[1].step if cell.kind == "adam" else evaluation(cell)


def evaluation(cell: Cell) -> Callable[[], Any]:
    """Return a network's output in inference mode, or a loss and its gradient."""
    net, given = network(cell), tensors(cell)
    inputs = (
        (given["obs"],) if cell.network in ("actor", "actor_prob", "recurrent_actor") else (given["obs"], given["act"])
    )
    if cell.kind == "forward":
        return torch.inference_mode()(lambda: net(*inputs))
    params = list(net.parameters())

    def gradient() -> tuple[Tensor, tuple[Tensor, ...]]:
        value = loss(cell.network, net(*inputs), given)
        return value, torch.autograd.grad(value, params)

    return gradient


def network(cell: Cell) -> nn.Module:
    """Return a cell's network with the initial parameters."""
    net = NETWORKS[cell.network](cell.hidden)
    for parameter, array in zip(net.parameters(), named(cells.first_parameters(cell)).values(), strict=True):
        parameter.data = tensor(array)
    return net


def named(params: Params) -> dict[str, Array]:
    """Return arrays by npnets' paths, in the order of the parameters of a network on PyTorch."""
    found = cells.by_path(params)
    return {path: found[path] for path in sorted(found, key=lambda path: path != "log_sigma")}


def tensor(array: Array) -> Tensor:
    """Return a parameter in PyTorch's layout: a linear layer's weight is transposed."""
    return torch.as_tensor(array.T.copy() if array.ndim == 2 else array)


def arrays(cell: Cell, found: Iterable[Tensor]) -> dict[str, Array]:
    """Return tensors with the shapes of a network's parameters, such as gradients, in npnets' layout."""
    paths = zip(named(cells.first_parameters(cell)), (tensor.detach().numpy() for tensor in found), strict=True)
    return {path: array.T if array.ndim == 2 else array for path, array in paths}


def adam(cell: Cell) -> tuple[nn.Module, torch.optim.Adam]:
    """Return a network with a gradient, and its Adam optimizer."""
    net, gradient = network(cell), named(cells.first_gradient(cell))
    for parameter, drawn in zip(net.parameters(), gradient.values(), strict=True):
        parameter.grad = tensor(drawn)
    return net, torch.optim.Adam(net.parameters(), cells.LEARNING_RATE, eps=cells.EPS, fused=True)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return the results of the call by name, in npnets' layout; for steps, the parameters after a few of them."""
    if cell.kind == "adam":
        net, optimizer = adam(cell)
        for _ in range(cells.STEPS):
            optimizer.step()
        return arrays(cell, net.parameters())
    with mock.patch("torch.randn_like", lambda like: torch.as_tensor(cells.noise(cell))):
        found = evaluation(cell)()
    if cell.kind == "gradient":
        return {"loss": found[0].detach().numpy(), **arrays(cell, found[1])}
    return {name: tensor.numpy() for name, tensor in zip(cells.OUTPUTS[cell.network], found, strict=True)}

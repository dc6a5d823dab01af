"""Data and losses of the cells for the sides on PyTorch, with as many threads as the other sides have."""

from __future__ import annotations

import os

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from benchmarks.cpu import cells
from benchmarks.cpu.cells import Cell

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def tensors(cell: Cell) -> dict[str, Tensor]:
    """Return the data."""
    return {name: torch.as_tensor(array) for name, array in cells.data(cell).items()}


def loss(name: str, output: tuple[Tensor, ...], given: dict[str, Tensor]) -> Tensor:
    """Return the loss of a network's output; that of the VAE is written as in Tianshou's BCQ."""
    if name == "vae":
        reconstruction, mean, std = output
        divergence = (-torch.log(std) + (std.pow(2) + mean.pow(2) - 1) / 2).mean()
        return mse_loss(given["act"], reconstruction) + divergence / 2
    if name in ("critic", "ensemble", "recurrent_critic"):
        return mse_loss(output[0], given["reward"].expand_as(output[0]))
    error = mse_loss(output[0], given["act"])
    return error if name == "actor" else error + output[1].mean()

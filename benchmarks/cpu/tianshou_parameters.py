"""The parameters of Tianshou's networks by npnets' paths and in npnets' layout: nested dicts, weights `(in, out)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.cpu.cells import by_path

RENAMED: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"model\.(\d+)": lambda found: f"linear_{int(found[1]) // 2}",  # every second module is an activation
    r"^nn\.(\w+)_l(\d+)": r"lstm.layer_\2.\1",
    r"^fc2": "last",
    r"^preprocess_net": "preprocess",
    r"bias_weights": "bias",
    r"^sigma_param": "log_sigma",
}


def parameters(net: nn.Module) -> dict[str, nn.Parameter]:
    """Return a network's parameters by npnets' paths, `last.linear_0.weight`."""
    return {path(name): parameter for name, parameter in net.named_parameters()}


def path(name: str) -> str:
    """Return npnets' path for a Tianshou name."""
    for pattern, ours in RENAMED.items():
        name = re.sub(pattern, ours, name)
    return name


def load(net: nn.Module, params: dict[str, Any]) -> None:
    """Load parameters in npnets' layout into a network."""
    named, values = parameters(net), by_path(params)
    for name, parameter in named.items():
        parameter.data = torch.as_tensor(_turned(values.pop(name)).copy()).reshape(parameter.shape)
    assert not values, values.keys()


def arrays(net: nn.Module, tensors: Iterable[Tensor]) -> dict[str, NDArray[np.floating]]:
    """Return tensors with the shapes of a network's parameters, such as gradients, in npnets' layout."""
    paths = zip(parameters(net), (tensor.detach().numpy() for tensor in tensors), strict=True)
    return {path: array[:, 0] if path == "log_sigma" else _turned(array) for path, array in paths}


def _turned(array: NDArray[np.floating]) -> NDArray[np.floating]:
    """Transpose a linear layer's weight; an ensemble's has npnets' layout already."""
    return array.T if array.ndim == 2 else array

"""A call of a kernel beside the same by its composition, and the compositions of all kernels."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from backends import on_backend

import npnets.numpy as nnp

NAMES = (
    *("activations", "chosen_log_prob", "gaussian", "latent", "layer_norm", "linear", "log_softmax", "lstm"),
    *("noisy_parameters", "shared_sigma", "squashed_gaussian"),
)
_MODULES = {name: importlib.import_module(f"npnets.kernels.{name}") for name in NAMES}
COMPOSITIONS = {name: module._apply.__wrapped__ for name, module in _MODULES.items()}


class Case(NamedTuple):
    """A kernel's call: `fun(*arrays)`, the same by its composition, and the shapes of its arrays (None: left out)."""

    kernel: str
    name: str
    fun: Callable[..., Any]
    plain: Callable[..., Any]
    shapes: tuple[tuple[int, ...] | None, ...]

    def arrays(self, dtype: type = np.float64, scale: float = 1.0) -> tuple[Any, ...]:
        """Return the arrays to call it with."""
        rng = np.random.default_rng(0)
        drawn = [None if shape is None else (scale * rng.normal(size=shape)).astype(dtype) for shape in self.shapes]
        return tuple(on_backend(drawn))


def joined(outputs: tuple[Any, ...]) -> Any:
    """Return several outputs as one array, as the tests of the table expect it."""
    return nnp.concatenate([nnp.ravel(output) for output in outputs])

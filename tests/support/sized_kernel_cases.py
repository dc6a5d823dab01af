"""The kernels at sizes around those of vectors, tiles and parts: calls of a number of rows and of a width.

`SIZED[kernel](rows, width)` is a case of the kernel; `each_kernel` runs a test for each kernel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from distribution_kernel_cases import gaussian_case, latent_case, shared_sigma_case, squashed_gaussian_case
from kernel_case import COMPOSITIONS, Case
from kernel_cases import layer_norm_case, layers_case, lstm_case

import npnets
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation

SIZES = [(0, 3), (1, 1), (1, 33), (2, 2), (2, 17), (15, 16), (16, 15), (17, 17), (33, 1), (33, 33), (3, 0)]


def _linear(rows: int, width: int) -> Case:
    activations = (Activation("gelu"), Activation("relu"), Activation("tanh"))
    return layers_case(activations, (rows, width), (width, 16), (16,), (16, width), None, (width, 17), (17,))


def _ensemble(rows: int, width: int) -> Case:
    activations = (Activation("silu"), Activation("softplus"))
    return layers_case(activations, (rows, width), (2, width, width), (2, 1, width), (2, width, 3), (2, 1, 3))


def _lstm(rows: int, width: int) -> Case:
    reset = (np.arange(4 * rows) % 5 == 3).reshape(4, rows, 1)
    valid = np.arange(4)[:, None, None] < 1 + np.arange(rows)[:, None] % 4
    return lstm_case(4, rows, 3, width, reset, valid)


def _activation(activation: Activation, rows: int, width: int) -> Case:
    plain = functools.partial(COMPOSITIONS["activations"], activation=activation)
    return Case("activations", f"{activation.name} of {(rows, width)}", activation, plain, ((rows, width),))


SIZED: dict[str, Callable[[int, int], Case]] = {
    **{f"activation {each.name}": functools.partial(_activation, each) for each in map(Activation, FORMULAS)},
    "gaussian": gaussian_case,
    "latent": lambda rows, width: latent_case(rows, 3, width),
    "layer_norm": lambda rows, width: layer_norm_case((rows, width), True, True),
    "layer_norm without weight": lambda rows, width: layer_norm_case((rows, width), False, False),
    "linear": _linear,
    "linear of an ensemble": _ensemble,
    "lstm": _lstm,
    "shared_sigma": shared_sigma_case,
    "squashed_gaussian": squashed_gaussian_case,
}
each_kernel = pytest.mark.parametrize("kernel", SIZED)


def exists(kernel: str, rows: int, width: int) -> bool:
    """Return whether a kernel is defined at these sizes: nothing has a mean of no features."""
    return width > 0 or not kernel.startswith("layer_norm")


def sized(kernel: str) -> list[Case]:
    """Return the cases of a kernel at all sizes."""
    return [SIZED[kernel](*size) for size in SIZES if exists(kernel, *size)]


def gradients(fun: Callable[..., Any], arrays: Any, seed: int = 1) -> tuple[Any, list[Any]]:
    """Return the output, and the cotangents of all arrays for a random cotangent of the output."""
    given = [index for index, array in enumerate(arrays) if array is not None]

    def of_given(parts: Any) -> Any:
        args = list(arrays)
        for index, part in zip(given, parts, strict=True):
            args[index] = part
        return fun(*args)

    value, pullback = npnets.vjp(of_given, [arrays[index] for index in given])
    g = np.random.default_rng(seed).standard_normal(np.shape(value)).astype(value.dtype)
    return value, pullback(g)

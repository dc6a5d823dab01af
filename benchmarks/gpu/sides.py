"""The sides of the GPU benchmarks, and the command-line options that the programs share.

Each process loads one side. This file sets the environment before a side is imported (no TF32), and raises errors about
missing requirements. The workloads are in `gpu/workloads_npnets.py` and `gpu/workloads_pytorch.py`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.gpu.problem import WORKLOADS
from benchmarks.harness.clock import Clock, CupyClock, HostClock, TorchClock
from examples.shared.command_line import at_least

RIVALS = ("pytorch", "pytorch-fused")
SIDES = ("npnets", *RIVALS)
"""`pytorch` uses Adam's default implementation, `pytorch-fused` its fused kernel."""

BATCHES = (256, 1024, 4096, 16384, 65536)


class Side(NamedTuple):
    """A library that is loaded for a device."""

    make: Callable[[str, int], Any]
    addition: Callable[[], Any]
    clock: Clock
    facts: dict[str, str]


def load(name: str, device: str) -> Side:
    """Import one side, and check that it can compute on a device.

    Raises
    ------
    RuntimeError
        If the library, CuPy or the GPU is missing; the message names a remedy.
    """
    # CuPy and NVIDIA's libraries read these variables at their first matrix product.
    os.environ["CUPY_TF32"] = os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    try:
        return _npnets(device) if name == "npnets" else _pytorch(device, fused=name == "pytorch-fused")
    except ImportError as error:
        raise RuntimeError(str(error)) from error


def _npnets(device: str) -> Side:
    try:
        import npnets  # noqa: F401
    except ModuleNotFoundError as error:
        raise RuntimeError(f"npnets cannot be imported ({error}); in the checkout: pip install -e .") from error
    from benchmarks.gpu import workloads_npnets as side

    add = side.addition(device)
    clock = HostClock() if device == "cpu" else CupyClock()
    return Side(lambda name, batch: side.make(name, batch, device), add, clock, side.versions() | clock.facts())


def _pytorch(device: str, fused: bool) -> Side:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise RuntimeError("PyTorch is not installed; https://pytorch.org says how, for each CUDA") from error
    if device == "cuda" and not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        raise RuntimeError(f"PyTorch {torch.__version__}, {built}, finds no usable GPU; does nvidia-smi list one?")
    from benchmarks.gpu import workloads_pytorch as side

    torch.backends.cuda.matmul.allow_tf32 = False
    add = side.addition(device)
    clock = HostClock() if device == "cpu" else TorchClock()
    adam = {"Adam of PyTorch": "fused" if fused else f"its default, {'foreach' if device == 'cuda' else 'one by one'}"}
    facts = side.versions() | clock.facts() | adam
    return Side(lambda name, batch: side.make(name, batch, device, fused), add, clock, facts)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for batches and workloads."""
    parser.add_argument("--batches", type=at_least(1), nargs="+", default=list(BATCHES), help="default: %(default)s")
    parser.add_argument("--workloads", choices=WORKLOADS, nargs="+", default=list(WORKLOADS), help="default: all")

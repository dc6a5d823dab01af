"""The sides of the whole training step: their modules, their processes and the packages that they need.

npnets is three sides, as in the speed benchmark. Every process has one thread: the variables below hold XLA to it, and
those of `benchmarks/harness/turns.py` the linear algebra libraries and PyTorch.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from importlib.metadata import version

from benchmarks.cpu.sides import OURS, Side
from benchmarks.cpu.sides import SIDES as SPEED_SIDES
from benchmarks.harness.turns import Worker

ONE_SIDE = "benchmarks.training.one_side"

ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu"}

SIDES = {
    **{name: SPEED_SIDES[name]._replace(module="npnets") for name in OURS},
    "stable_baselines3": Side("Stable-Baselines3", "stable_baselines3", ONE_THREAD),
    "sbx": Side("SBX", "sbx", ONE_THREAD),
    "rltools": Side("RLtools", "rltools", ONE_THREAD),
}
"""Every side, with the name of its module before `_side`."""

RIVALS = ("stable_baselines3", "sbx", "rltools")

PACKAGES = {
    "stable_baselines3": ("stable_baselines3", "torch"),
    "sbx": ("sbx-rl", "jax"),
    "rltools": ("rltools", "mkl"),
}
"""The packages of each rival whose versions are recorded."""

INSTALL = "pip install -e '.[training]'"


def check_installed(sides: Iterable[str]) -> None:
    """Exit with a one-line error if a side cannot be run."""
    missing = [side for side in sides if side in RIVALS and importlib.util.find_spec(side) is None]
    if missing:
        sys.exit(
            f"error: {sys.executable} has no {' and no '.join(missing)}; to install: {INSTALL}; "
            "or name the others with --sides"
        )


def versions_of(sides: Iterable[str]) -> dict[str, str]:
    """Return the versions of the packages of the rivals among the sides."""
    return {package: version(package) for side in sides if side in RIVALS for package in PACKAGES[side]}


def start(side: str) -> Worker:
    """Start the process of a side, on one thread."""
    return Worker(ONE_SIDE, side, threads=1, environment=SIDES[side].environment)

"""The sides of the speed benchmark: the module that computes each, and the environment of its process.

npnets is three sides: with the compiled kernels of the best instruction set that the processor has, with those held to
AVX2, and with the NumPy kernels. `NPNETS_COMPILED` in the environment of the process chooses them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.cpu.cells import KINDS, TWINS, Cell
from benchmarks.harness.turns import Ended, Worker

VARIABLE = "NPNETS_COMPILED"


class Side(NamedTuple):
    """The name of a side in tables, the module that computes it, and variables of its environment."""

    name: str
    module: str
    environment: Mapping[str, str] = {}


SIDES = {
    "npnets": Side("npnets", "npnets_side"),
    "npnets_avx2": Side("npnets, AVX2", "npnets_side", {VARIABLE: "avx2"}),
    "npnets_numpy": Side("npnets, NumPy", "npnets_side", {VARIABLE: "off"}),
    "tianshou": Side("Tianshou", "tianshou_side"),
    "torch": Side("PyTorch", "torch_side"),
    "jax": Side("JAX", "jax_side"),
    "autograd": Side("autograd", "autograd_side"),
    "products": Side("floor", "products_side"),
}
"""Every side: `products` has only the matrix products that a cell needs."""

OURS = ("npnets", "npnets_avx2", "npnets_numpy")
"""The sides on npnets, whose times are divided by those of the rivals."""

RIVALS = tuple(side for side in SIDES if side not in ("npnets", "npnets_avx2"))
"""The sides to divide by. The NumPy kernels are one as well: they are what npnets has without compiled kernels."""

LIBRARIES = ("npnets", "tianshou", "jax", "autograd")
"""The sides that are compared as whole libraries: their disk space, import and memory."""


def sides(cell: Cell) -> tuple[str, ...]:
    """Return the sides that compute a cell; an Adam step has no matrix products."""
    if cell.network == TWINS:
        return OURS
    if cell.kind in KINDS:
        return tuple(SIDES)
    return (*OURS, "tianshou", "torch", "jax", "autograd") if cell.kind == "adam" else (*OURS, "tianshou", "products")


def start(side: str, threads: int = 1, seconds: float = 0.0) -> Worker:
    """Start the process of a side."""
    chosen = SIDES[side]
    return Worker(f"benchmarks.cpu.{chosen.module}", side, threads, seconds, chosen.environment)


def kernels_of(chosen: Sequence[str]) -> dict[str, str]:
    """Return the kernels in use of every side on npnets that differs from those before it: `"avx512"`, `"off"`.

    A processor without AVX-512 uses AVX2 by itself, and without compiled kernels all three sides are the same.
    """
    found: dict[str, str] = {}
    for side in OURS:
        if side not in chosen or (kernels := _kernels(side)) is None:
            continue
        if kernels in found.values():
            print(f"{side} is left out: it has the same kernels ({kernels}) as another side", file=sys.stderr)
        else:
            found[side] = kernels
    return found


def _kernels(side: str) -> str | None:
    """Return the kernels of a side on npnets; `None` if this processor or installation does not have them."""
    try:
        with start(side) as worker:
            kernels: str = worker.call(kernels={})
    except Ended:
        if SIDES[side].environment:  # which asked for an instruction set that is not there; its error is printed
            return None
        raise
    return kernels

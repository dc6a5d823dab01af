"""The cells of the speed benchmark on plain autograd: naive functions, and gradients of autograd's containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from benchmarks.cpu.cells import OUTPUTS, STEPS, Array, Cell, by_path, data, first_gradient, first_parameters, noise
from benchmarks.cpu.losses import loss
from benchmarks.cpu.plain import Arrays, Library, adam, output


def through_time(step: Callable[[Arrays, Any], Arrays], state: Arrays, inputs: Any) -> Arrays:
    """Run a Python loop."""
    for x in inputs:
        state = step(state, x)
    return state


LIBRARY = Library(anp, through_time)


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    rng = np.random.default_rng(0)
    return Adam(cell) if cell.kind == "adam" else evaluation(cell, lambda shape: drawn(rng, shape))


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw standard normal numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def evaluation(cell: Cell, draw: Callable[..., Any]) -> Callable[[], Any]:
    """Return a network's output, or a loss and its gradient."""
    params, given = first_parameters(cell), data(cell)

    def run(params: Any) -> Arrays:
        return output(LIBRARY, cell.network, params, given, draw)

    if cell.kind == "forward":
        return lambda: run(params)
    gradient = value_and_grad(lambda params: loss(anp, cell.network, run(params), given))
    return lambda: gradient(params)


class Adam:
    """Steps of Adam with the same gradient, array by array."""

    def __init__(self, cell: Cell) -> None:
        self.params, self.gradient, self.step = by_path(first_parameters(cell)), by_path(first_gradient(cell)), 0
        self.means = {name: (anp.zeros_like(leaf), anp.zeros_like(leaf)) for name, leaf in self.params.items()}

    def __call__(self) -> None:
        self.step += 1
        for name, leaf in self.params.items():
            self.params[name], *means = adam(anp, self.step, leaf, self.gradient[name], *self.means[name])
            self.means[name] = tuple(means)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return the results of the call by name; for steps, the parameters after a few of them."""
    if cell.kind == "adam":
        step = Adam(cell)
        for _ in range(STEPS):
            step()
        return step.params
    found = evaluation(cell, lambda shape: noise(cell))()
    if cell.kind == "gradient":
        return {"loss": found[0], **by_path(found[1])}
    return dict(zip(OUTPUTS[cell.network], found, strict=True))

"""The recurrent networks of npnets: what is timed, what is compared with Tianshou, and the memory of a gradient."""

from __future__ import annotations

import gc
import os
import platform
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy
from threadpoolctl import ThreadpoolController

import npnets
import npnets.numpy as np
from benchmarks.cpu.recurrent_problem import ACT, HIDDEN, OBS, Cell, data, first_parameters
from npnets import tree

ACTOR = npnets.RecurrentActorProb(1, OBS, ACT, HIDDEN)
CRITIC = npnets.RecurrentCritic(1, OBS, ACT, hidden_layer_size=HIDDEN)

Loss = Callable[[Any], Any]

ROWS = 64
"""From how many rows for each thread on a batch is shared out."""


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed; with several threads large batches are shared out to them, as a user would ask.

    BLAS then runs on one thread, and afterwards on as many as before: the process times other cells too.
    """
    call, threads = evaluation(cell), int(os.environ["OMP_NUM_THREADS"])
    if threads < 2 or cell.batch < ROWS * threads:
        return call

    blas = ThreadpoolController().select(user_api="blas")

    def shared() -> Any:
        with blas.limit(limits=1), npnets.batch_threads(threads):
            return call()

    return shared


def evaluation(cell: Cell) -> Callable[[], Any]:
    """Return a network's answer, or a loss and its gradient."""
    params, given = first_parameters(cell.network), data(cell.batch, cell.steps)
    if cell.kind == "gradient":
        value_and_grad = npnets.value_and_grad(loss(cell, given))
        return lambda: value_and_grad(params)
    if cell.network == "actor":
        return lambda: ACTOR.forward(params, given["obs"])
    return lambda: CRITIC.forward(params, given["obs"], given["act"])


def loss(cell: Cell, given: dict[str, Any]) -> Loss:
    """Return the loss as a function of the parameters."""

    def of_actor(params: Any) -> Any:
        (mu, sigma), _ = ACTOR.forward(params, given["obs"])
        return np.mean((mu - given["act"]) ** 2) + np.mean(sigma)

    def of_critic(params: Any) -> Any:
        return np.mean((CRITIC.forward(params, given["obs"], given["act"]) - given["returns"]) ** 2)

    return of_actor if cell.network == "actor" else of_critic


def outcome(cell: Cell) -> dict[str, Any]:
    """Return what the call gives, by name."""
    answer = make(cell)()
    if cell.kind == "gradient":
        return {"loss": answer[0], **dict(zip(tree.paths(answer[1]), tree.leaves(answer[1]), strict=True))}
    if cell.network == "critic":
        return {"value": answer}
    (mu, sigma), state = answer
    return {"mu": mu, "sigma": sigma, **state}


def memory(cell: Cell) -> tuple[int, int, int]:
    """Return bytes: kept between a gradient's forward and backward, those at its peak, and left when it is dropped.

    NumPy reports its memory to tracemalloc. Parameters and data are there before, and do not count; what a kernel sets
    aside to use again does, and so this must be the process's first gradient of its size.
    """
    make(cell._replace(batch=1, steps=1))()
    params, of_params = first_parameters(cell.network), loss(cell, data(cell.batch, cell.steps))
    gc.collect()
    tracemalloc.start()
    answer = npnets.vjp(of_params, params)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    del answer
    answer = npnets.value_and_grad(of_params)(params)
    del answer
    gc.collect()
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept, peak, left


def facts() -> dict[str, str]:
    """Versions, and what NumPy multiplies with."""
    blas = numpy.show_config("dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "numpy": f"{numpy.__version__} with {blas['name']} {blas['version']}",
        "autograd": version("autograd"),
    }

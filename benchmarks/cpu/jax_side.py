"""The cells of the speed benchmark on JAX: the naive functions under `jit`, including the wait for their results.

XLA has a thread pool with one thread for each core. It is limited to the number of threads of the other libraries in
three ways: by XLA's flags, by `NPROC`, which sets the size of the pool, and by the cores that the process may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

THREADS = int(os.environ["OMP_NUM_THREADS"])
os.environ["NPROC"] = str(THREADS)
_EIGEN = f"--xla_cpu_multi_thread_eigen={str(THREADS > 1).lower()}"
os.environ["XLA_FLAGS"] = f"{_EIGEN} intra_op_parallelism_threads={THREADS}"
os.environ["JAX_PLATFORMS"] = "cpu"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])

# JAX reads all of these variables when it is imported.
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from benchmarks.cpu.cells import OUTPUTS, STEPS, Cell, by_path, data, first_gradient, first_parameters, noise  # noqa: E402
from benchmarks.cpu.losses import loss  # noqa: E402
from benchmarks.cpu.plain import Arrays, Library, adam, output  # noqa: E402


def through_time(step: Callable[[Arrays, Any], Arrays], state: Arrays, inputs: Any) -> Arrays:
    """Run an XLA loop."""
    return jax.lax.scan(lambda state, x: (step(state, x), None), state, inputs)[0]


LIBRARY = Library(jnp, through_time)


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    if cell.kind == "adam":
        return Adam(cell)
    return evaluation(cell, jax.random.key(0), lambda key, shape: jax.random.normal(key, shape))


def evaluation(cell: Cell, source: Any, draw: Callable[..., Any]) -> Callable[[], Any]:
    """Return a network's output, or a loss and its gradient; noise comes from `source`."""
    params, given = jax.device_put(first_parameters(cell)), jax.device_put(data(cell))

    def run(params: Any, given: Any, source: Any) -> Arrays:
        return output(LIBRARY, cell.network, params, given, lambda shape: draw(source, shape))

    def loss_of(params: Any, given: Any, source: Any) -> Any:
        return loss(jnp, cell.network, run(params, given, source), given)

    compiled = jax.jit(run if cell.kind == "forward" else jax.value_and_grad(loss_of))
    return lambda: jax.block_until_ready(compiled(params, given, source))


class Adam:
    """Steps of Adam with the same gradient, all arrays in one call."""

    def __init__(self, cell: Cell) -> None:
        self.params, self.gradient = jax.device_put(first_parameters(cell)), jax.device_put(first_gradient(cell))
        self.means = tuple(jax.tree.map(jnp.zeros_like, self.params) for _ in range(2))
        self.step, self.update = 0, jax.jit(_update)

    def __call__(self) -> Any:
        self.step += 1
        self.params, *self.means = self.update(self.step, self.params, self.gradient, *self.means)
        return jax.block_until_ready(self.params)


def _update(step: Any, params: Any, *trees: Any) -> Any:
    leaves, structure = jax.tree.flatten(params)
    columns = zip(leaves, *(jax.tree.leaves(tree) for tree in trees), strict=True)
    found = zip(*(adam(jnp, step, *arrays) for arrays in columns), strict=True)
    return tuple(jax.tree.unflatten(structure, part) for part in found)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return the results of the call by name; for steps, the parameters after a few of them."""
    if cell.kind == "adam":
        step = Adam(cell)
        for _ in range(STEPS):
            step()
        return named(step.params)
    found = evaluation(cell, jax.device_put(noise(cell)), lambda noise, shape: noise)()
    if cell.kind == "gradient":
        return {"loss": np.asarray(found[0]), **named(found[1])}
    return {name: np.asarray(array) for name, array in zip(OUTPUTS[cell.network], found, strict=True)}


def named(params: Any) -> dict[str, Any]:
    """Return the leaves of a tree by their paths, as NumPy arrays."""
    return {path: np.asarray(leaf) for path, leaf in by_path(params).items()}

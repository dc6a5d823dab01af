"""The cells of the speed benchmark on npnets, written as a user would write them."""

from __future__ import annotations

import functools
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import npnets
import npnets.numpy as nnp
from benchmarks.cpu import cells, small_critics, steps_npnets
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.losses import loss
from npnets import optim

Output = Callable[[Any], tuple[Any, ...]]


def make(cell: Cell) -> Callable[[], Any]:
    """Return the call that is timed."""
    if cell.network == cells.TWINS:
        return small_critics.make(cell)
    if cell.network in cells.RECURRENT:
        return evaluation(cell, {})
    if cell.kind in cells.KINDS:
        return evaluation(cell, {"rng": np.random.default_rng(0)})
    return Adam(cell) if cell.kind == "adam" else steps_npnets.make(cell, np.random.default_rng(0))


def kernels() -> str:
    """Return the instruction set of the compiled kernels in use, or `"off"`."""
    return str(npnets.about()["compiled"])


def evaluation(cell: Cell, draw: dict[str, Any]) -> Callable[[], Any]:
    """Return a network's output, or a loss and its gradient; `draw` has the VAE's arguments for noise."""
    params, given = cells.first_parameters(cell), cells.data(cell)
    run = output(cell, given, draw)
    if cell.kind == "forward":
        return lambda: run(params)
    value_and_grad = npnets.value_and_grad(lambda params: loss(nnp, cell.network, run(params), given))
    return lambda: value_and_grad(params)


def output(cell: Cell, given: dict[str, Any], draw: dict[str, Any]) -> Output:
    """Return a network's output as a function of its parameters."""
    net, obs, act = network(cell), given["obs"], given["act"]
    if isinstance(net, npnets.VAE):
        return lambda params: net.forward(params, obs, act, **draw)
    if isinstance(net, npnets.RecurrentActorProb):
        return lambda params: with_state(*net.forward(params, obs))
    if isinstance(net, (npnets.Critic, npnets.RecurrentCritic)):
        return lambda params: (net.forward(params, obs, act),)
    if isinstance(net, npnets.ActorProb):
        return lambda params: net.forward(params, obs)[0]
    return lambda params: net.forward(params, obs)[:1]


def with_state(head: tuple[Any, Any], state: dict[str, Any]) -> tuple[Any, ...]:
    """Return a recurrent actor's mean and standard deviation with its state behind them."""
    return (*head, state["hidden"], state["cell"])


def network(cell: Cell) -> Any:
    """Return a cell's network."""
    hidden = cell.hidden
    if cell.network == "actor":
        return npnets.Actor(npnets.Net(cells.OBS, hidden_sizes=hidden), cells.ACT)
    if cell.network == "actor_prob":
        return npnets.ActorProb(npnets.Net(cells.OBS, hidden_sizes=hidden), cells.ACT)
    if cell.network == "critic":
        return npnets.Critic(npnets.Net(cells.OBS, cells.ACT, hidden, concat=True))
    if cell.network == "vae":
        encoder, decoder = (
            npnets.MLP(cells.OBS + cells.ACT, 0, hidden),
            npnets.MLP(cells.OBS + cells.LATENT, cells.ACT, hidden),
        )
        return npnets.VAE(encoder, decoder, hidden[-1], cells.LATENT, 1.0)
    if cell.network == "recurrent_actor":
        return npnets.RecurrentActorProb(1, cells.OBS, cells.ACT, cells.HIDDEN)
    if cell.network == "recurrent_critic":
        return npnets.RecurrentCritic(1, cells.OBS, cells.ACT, hidden_layer_size=cells.HIDDEN)
    members = functools.partial(npnets.EnsembleLinear, cells.MEMBERS)
    trunk = npnets.Net(cells.OBS, cells.ACT, hidden, concat=True, linear_layer=members)
    return npnets.Critic(trunk, linear_layer=members, flatten_input=False)


class Adam:
    """Steps of Adam with the same gradient."""

    def __init__(self, cell: Cell) -> None:
        self.params, self.gradient = cells.first_parameters(cell), cells.first_gradient(cell)
        self.optimizer = optim.adam(cells.LEARNING_RATE, eps=cells.EPS)
        self.state = self.optimizer.init(self.params)

    def __call__(self) -> None:
        self.params, self.state = self.optimizer.update(params=self.params, grads=self.gradient, state=self.state)


def outcome(cell: Cell) -> dict[str, Any]:
    """Return the results of the call by name; for steps, the parameters after a few of them."""
    if cell.kind == "adam":
        adam = Adam(cell)
        for _ in range(cells.STEPS):
            adam()
        return cells.by_path(adam.params)
    if cell.kind not in cells.KINDS:
        return steps_npnets.outcome(cell)
    found = make(cell)() if cell.network in cells.RECURRENT else evaluation(cell, {"noise": cells.noise(cell)})()
    if cell.kind == "gradient":
        return {"loss": found[0], **cells.by_path(found[1])}
    return dict(zip(cells.OUTPUTS[cell.network], found, strict=True))


def memory(cell: Cell) -> tuple[int, int, int]:
    """Return bytes: residuals between forward and backward, the peak of a gradient, and memory after its release.

    NumPy reports its memory to tracemalloc. Parameters and data exist before and do not count. Scratch buffers that
    kernels reuse do count, so this must be the process's first gradient of its size.
    """
    make(cell._replace(batch=1, steps=1))()
    params, given = cells.first_parameters(cell), cells.data(cell)
    run = output(cell, given, {})

    def of_params(params: Any) -> Any:
        return loss(nnp, cell.network, run(params), given)

    gc.collect()
    tracemalloc.start()
    found: Any = npnets.vjp(of_params, params)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    del found
    found = npnets.value_and_grad(of_params)(params)
    del found
    gc.collect()
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept, peak, left

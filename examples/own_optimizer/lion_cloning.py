"""Train a policy with an optimizer of one's own, which is ten lines long.

    python examples/own_optimizer/lion_cloning.py --seed 0

The optimizer is Lion (Chen et al. 2023, arXiv:2302.06675), which steps by the sign of a momentum. It is a pair of pure
functions over trees, as those of `npnets.optim` are, so that whatever takes one of these takes it too. It learns to do
as a controller does that swings the pendulum up, and Adam learns the same in the same batches.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy
from tqdm import trange

import npnets
import npnets.numpy as np
from examples.own_optimizer.cloning_problem import ACTOR, judged, lessons, loss
from examples.shared.command_line import at_least, run_and_explain
from npnets import tree
from npnets.optim import Optimizer, adam

BATCH_SIZE = 256


def lion(learning_rate: float, beta1: float = 0.9, beta2: float = 0.99) -> Optimizer:
    """Lion without weight decay; its state is the momentum."""

    def init(params: Any) -> Any:
        return tree.map(np.zeros_like, params)

    def update(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
        direction = tree.map(lambda m, g: np.sign(beta1 * m + (1 - beta1) * g), state, grads)
        state = tree.map(lambda m, g: beta2 * m + (1 - beta2) * g, state, grads)
        return tree.map(lambda p, d: p - learning_rate * d, params, direction), state

    return Optimizer(init, update)


def fit(name: str, optimizer: Optimizer, params: Any, lesson: Any, steps: int, rng: numpy.random.Generator) -> Any:
    """Lower the loss on batches of the lessons; return the parameters."""
    observations, torques = lesson
    value_and_grad, state = npnets.value_and_grad(loss), optimizer.init(params)
    progress = trange(steps, desc=name, unit="step")
    for step in progress:
        rows = rng.integers(len(torques), size=BATCH_SIZE)
        value, grads = value_and_grad(params, observations[rows], torques[rows])
        params, state = optimizer.update(params=params, grads=grads, state=state)
        if step % 50 == 0:
            progress.set_postfix(loss=f"{float(value):.3f}", refresh=False)
    return params


def run(options: argparse.Namespace) -> int:
    """Let both optimizers learn from equal parameters in equal batches, and print what they reached."""
    lesson = lessons(options.episodes, numpy.random.default_rng(options.seed))
    start = ACTOR.init(numpy.random.default_rng(options.seed))
    print(f"negative log-likelihood before: {loss(start, *lesson):.3f}")
    for name, optimizer in {"Lion": lion(1e-3), "Adam": adam(3e-3)}.items():
        params = fit(name, optimizer, start, lesson, options.steps, numpy.random.default_rng(options.seed))
        print(f"{name} after {options.steps} steps: {loss(params, *lesson):.3f}; {judged(params)}")
    return 0


def main() -> int:
    """Read the command line and run, and say in one line what went wrong if something did."""
    parser = argparse.ArgumentParser(description="Clone a controller with an optimizer written in ten lines.")
    parser.add_argument("--seed", type=at_least(0), default=0, help="of everything that is drawn (%(default)s)")
    parser.add_argument("--episodes", type=at_least(1), default=30, help="that the teacher plays (%(default)s)")
    parser.add_argument("--steps", type=at_least(1), default=5000, help="of each optimizer (%(default)s)")
    parser.set_defaults(device="cpu")
    return run_and_explain(run, parser.parse_args(), "lion_cloning")


if __name__ == "__main__":
    sys.exit(main())

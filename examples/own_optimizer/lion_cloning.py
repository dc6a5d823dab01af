"""Train a policy with a custom optimizer of ten lines.

    python examples/own_optimizer/lion_cloning.py --seed 0 --out runs/lion_cloning

The optimizer is Lion (Chen et al. 2023, arXiv:2302.06675), whose step is the sign of a momentum. Like those of
`npnets.optim`, it is a pair of pure functions of trees, and can replace them anywhere. It trains a policy to imitate a
controller that swings the pendulum up; Adam trains another on the same batches. Writes the policies `lion.npz` and
`adam.npz`, `results.json` and `learning.png` to the folder given by `--out`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from tqdm import trange

import npnets
import npnets.numpy as nnp
from examples.own_optimizer.cloning_problem import (
    ACTOR,
    demonstrations,
    episode_of,
    loss,
    returns_of,
    returns_of_teacher,
)
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_evaluation import CONTROLLER
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy
from npnets import tree
from npnets.optim import Optimizer, adam

BATCH_SIZE, CHECKPOINTS = 256, 10
LEARNING_RATES = {"Lion": 1e-3, "Adam": 3e-3}


def lion(learning_rate: float, beta1: float = 0.9, beta2: float = 0.99) -> Optimizer:
    """Lion without weight decay; its state is the momentum."""

    def init(params: Any) -> Any:
        return tree.map(nnp.zeros_like, params)

    def update(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
        direction = tree.map(lambda m, g: nnp.sign(beta1 * m + (1 - beta1) * g), state, grads)
        state = tree.map(lambda m, g: beta2 * m + (1 - beta2) * g, state, grads)
        return tree.map(lambda p, d: p - learning_rate * d, params, direction), state

    return Optimizer(init, update)


def fit(
    name: str,
    optimizer: Optimizer,
    params: Any,
    data: Any,
    steps: int,
    rng: np.random.Generator,
    curve: LearningCurve,
) -> Any:
    """Minimize the loss on batches of the demonstrations; return the parameters."""
    observations, torques = data
    curve.add(0, params)
    value_and_grad, state = npnets.value_and_grad(loss), optimizer.init(params)
    progress = trange(steps, desc=name, unit="step")
    for step in progress:
        rows = rng.integers(len(torques), size=BATCH_SIZE)
        value, grads = value_and_grad(params, observations[rows], torques[rows])
        params, state = optimizer.update(params=params, grads=grads, state=state)
        if step % 50 == 0:
            progress.set_postfix(loss=f"{float(value):.3f}", refresh=False)
        if (step + 1) % max(1, steps // CHECKPOINTS) == 0:
            curve.add(step + 1, params)
    curve.add(steps, params)
    return params


def run(options: argparse.Namespace) -> int:
    """Train with both optimizers from equal parameters on equal batches; print, save and draw the results."""
    prepare_folder(options.out)
    began, data = time.perf_counter(), demonstrations(options.episodes, np.random.default_rng(options.seed))
    start = ACTOR.init(np.random.default_rng(options.seed))
    before, after, episodes = float(loss(start, *data)), {}, {}
    curves = {name: LearningCurve(returns_of) for name in LEARNING_RATES}
    print(f"negative log-likelihood before: {before:.3f}")
    makers: tuple[Callable[[float], Optimizer], ...] = (lion, adam)
    for (name, rate), make in zip(LEARNING_RATES.items(), makers, strict=True):
        rng = np.random.default_rng(options.seed)
        params = fit(name, make(rate), start, data, options.steps, rng, curves[name])
        after[name], episodes[name] = float(loss(params, *data)), episode_of(params)
        print(f"{name} after {options.steps} steps: {after[name]:.3f}")
        save_policy(options.out / f"{name.lower()}.npz", params, ACTOR)
    found = Run(
        title="Lion and Adam clone a controller",
        unit="gradient steps",
        seed=options.seed,
        steps=options.steps,
        seconds=time.perf_counter() - began,
        settings={"episodes": options.episodes, "batch_size": BATCH_SIZE, "learning_rates": LEARNING_RATES},
        curves=curves,
        others={CONTROLLER: returns_of_teacher()},
        episodes=episodes,
        more={"loss_before": before, "loss_after": after},
    )
    write_results(options.out, found)
    return 0


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("lion_cloning", "Clone a controller with an optimizer written in ten lines.")
    parser.add_argument("--episodes", type=at_least(1), default=30, help="demonstrated episodes (%(default)s)")
    parser.add_argument("--steps", type=at_least(1), default=5000, help="steps of each optimizer (%(default)s)")
    return run_and_explain(run, parser.parse_args(), "lion_cloning")


if __name__ == "__main__":
    sys.exit(main())

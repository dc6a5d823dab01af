"""Train a policy with an optimizer of one's own, which is ten lines long.

    python examples/own_optimizer/lion_cloning.py --seed 0 --out runs/lion_cloning

The optimizer is Lion (Chen et al. 2023, arXiv:2302.06675), which steps by the sign of a momentum. It is a pair of pure
functions over trees, as those of `npnets.optim` are, so that whatever takes one of these takes it too. It learns to do
as a controller does that swings the pendulum up, and Adam learns the same in the same batches. Into the folder given by
`--out` go `lion.npz` and `adam.npz`, the policies, `results.json` and `learning.png`.
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
from examples.own_optimizer.cloning_problem import ACTOR, episode_of, lessons, loss, returns_of, returns_of_teacher
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.learning_curve import LearningCurve
from examples.shared.results import Run, conclude
from examples.shared.results_folder import make_ready, save_policy
from examples.shared.swing_up_teacher import CONTROLLER
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
    lesson: Any,
    steps: int,
    rng: np.random.Generator,
    curve: LearningCurve,
) -> Any:
    """Lower the loss on batches of the lessons; return the parameters."""
    observations, torques = lesson
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
    """Let both optimizers learn from equal parameters in equal batches, and print what they reached."""
    make_ready(options.out)
    began, lesson = time.perf_counter(), lessons(options.episodes, np.random.default_rng(options.seed))
    start = ACTOR.init(np.random.default_rng(options.seed))
    before, after, episodes = float(loss(start, *lesson)), {}, {}
    curves = {name: LearningCurve(returns_of) for name in LEARNING_RATES}
    print(f"negative log-likelihood before: {before:.3f}")
    makers: tuple[Callable[[float], Optimizer], ...] = (lion, adam)
    for (name, rate), make in zip(LEARNING_RATES.items(), makers, strict=True):
        rng = np.random.default_rng(options.seed)
        params = fit(name, make(rate), start, lesson, options.steps, rng, curves[name])
        after[name], episodes[name] = float(loss(params, *lesson)), episode_of(params)
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
    conclude(options.out, found)
    return 0


def main() -> int:
    """Read the command line and run, and say in one line what went wrong if something did."""
    parser = new_parser("lion_cloning", "Clone a controller with an optimizer written in ten lines.")
    parser.add_argument("--episodes", type=at_least(1), default=30, help="that the teacher plays (%(default)s)")
    parser.add_argument("--steps", type=at_least(1), default=5000, help="of each optimizer (%(default)s)")
    return run_and_explain(run, parser.parse_args(), "lion_cloning")


if __name__ == "__main__":
    sys.exit(main())

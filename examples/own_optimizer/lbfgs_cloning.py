"""Train a policy with SciPy's L-BFGS-B, with bounds for every parameter.

    python examples/own_optimizer/lbfgs_cloning.py --seed 0 --out runs/lbfgs_cloning

The policy imitates a controller that swings the pendulum up. An optimizer of vectors needs only `tree.ravel`, which
converts parameters to a vector and back, and `unravel.slices`, which maps bounds to parameters. The parameters are
float64, as all that SciPy computes. Writes `policy.npz`, `results.json` and `learning.png` to the folder given by
`--out`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, OptimizeResult, minimize

import npnets
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

Vector = NDArray[np.float64]

LARGEST_WEIGHT = 1.0
# In N m. The teacher's torques have no noise, so the likelihood would otherwise drive the standard deviation to zero.
SMALLEST_SIGMA = 0.2
CHECKPOINTS = 20


def bounds_of(unravel: npnets.tree.Unravel[Any]) -> Bounds:
    """The bounds of each entry of the vector, chosen by the path of the parameter that it belongs to."""
    lower, upper = np.full(unravel.size, -LARGEST_WEIGHT), np.full(unravel.size, LARGEST_WEIGHT)
    lower[unravel.slices["log_sigma"]] = np.log(SMALLEST_SIGMA)
    return Bounds(lower, upper)


def fit(
    params: Any, observations: Any, torques: Any, evaluations: int, curve: LearningCurve
) -> tuple[Any, OptimizeResult]:
    """Minimize the loss within bounds; return the parameters and SciPy's result."""
    start, unravel = npnets.tree.ravel(params)
    value_and_grad, calls = npnets.value_and_grad(loss), 0

    def value_and_slope(vector: Vector) -> tuple[float, Vector]:
        nonlocal calls
        calls += 1
        value, grads = value_and_grad(unravel(vector), observations, torques)
        return float(value), npnets.tree.ravel(grads)[0]

    def watch(vector: Vector) -> None:
        if calls - curve.steps[-1] >= evaluations // CHECKPOINTS:
            curve.add(calls, unravel(vector))

    curve.add(0, params)
    limits = {"maxfun": evaluations, "maxiter": evaluations}
    search = {"method": "L-BFGS-B", "bounds": bounds_of(unravel), "options": limits, "callback": watch}
    result = minimize(value_and_slope, start, jac=True, **search)
    curve.add(result.nfev, unravel(result.x))
    return unravel(result.x), result


def run(options: argparse.Namespace) -> int:
    """Clone the teacher, and print, save and draw the results."""
    prepare_folder(options.out)
    rng, curve, began = np.random.default_rng(options.seed), LearningCurve(returns_of), time.perf_counter()
    observations, torques = demonstrations(options.episodes, rng)
    params = ACTOR.init(rng, np.float64)
    before = float(loss(params, observations, torques))
    print(f"{len(torques)} demonstrated steps, {npnets.tree.ravel(params)[0].size} parameters")
    print(f"negative log-likelihood before: {before:.3f}")
    params, result = fit(params, observations, torques, options.evaluations, curve)
    seconds = time.perf_counter() - began
    limits = bounds_of(npnets.tree.ravel(params)[1])
    on_bounds = int(np.sum((result.x <= limits.lb) | (result.x >= limits.ub)))
    print(f"after {result.nfev} evaluations: {result.fun:.3f}; parameters on a bound: {on_bounds} ({result.message})")
    sigma = float(np.exp(params["log_sigma"].item()))
    print(f"standard deviation: {sigma:.3f}, at least {SMALLEST_SIGMA}")
    found = Run(
        title="L-BFGS-B clones a controller",
        unit="evaluations of the loss",
        seed=options.seed,
        steps=result.nfev,
        seconds=seconds,
        settings={"episodes": options.episodes, "evaluations": options.evaluations, "largest_weight": LARGEST_WEIGHT},
        curves={"L-BFGS-B": curve},
        others={CONTROLLER: returns_of_teacher()},
        episodes={"L-BFGS-B": episode_of(params)},
        more={
            "loss_before": before,
            "loss_after": float(result.fun),
            "parameters_on_a_bound": on_bounds,
            "standard_deviation": sigma,
        },
    )
    save_policy(options.out / "policy.npz", params, ACTOR)
    write_results(options.out, found)
    return 0


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("lbfgs_cloning", "Clone a controller with SciPy's L-BFGS-B, within bounds.")
    parser.add_argument("--episodes", type=at_least(1), default=30, help="demonstrated episodes (%(default)s)")
    parser.add_argument(
        "--evaluations",
        type=at_least(1),
        default=1000,
        help="approximate evaluations of loss and gradient (%(default)s)",
    )
    return run_and_explain(run, parser.parse_args(), "lbfgs_cloning")


if __name__ == "__main__":
    sys.exit(main())

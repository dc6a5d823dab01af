"""Search the weights of a policy with CMA-ES (Hansen 2016, arXiv:1604.00772): no gradients, only returns.

    python examples/own_optimizer/cma_es_policy.py --seed 0 --out runs/cma_es_policy

The `cma` package draws vectors, `unravel` turns them into policies, and each policy runs the same number of episodes of
CartPole-v1, from the same initial states. The sign of the actor's output is the direction of the push, so there is no
gradient. Writes `policy.npz`, `results.json` and `learning.png` to the folder given by `--out`. Ctrl-C saves the
current state.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

import cma
import numpy as np
from numpy.typing import NDArray
from tqdm import trange

import npnets
from examples.shared import discrete_evaluation
from examples.shared.command_line import at_least, new_parser, run_and_explain
from examples.shared.discrete_evaluation import Policy
from examples.shared.learning_curve import LearningCurve
from examples.shared.results import Run, write_results
from examples.shared.results_folder import prepare_folder, save_policy

ACTOR = npnets.Actor(npnets.Net(4, hidden_sizes=(8,)), 1)
FIRST_SPREAD, EPISODES, EVALUATION_SEED, CHECKPOINTS = 0.5, 30, 1000, 20


def policy_of(params: Any) -> Policy:
    """The actor as a policy: from observations `(n, 4)` to pushes `(n,)`, 1 to the right and 0 to the left."""
    return lambda observations: (ACTOR.forward(params, observations)[0][:, 0] > 0).astype(np.int64)


returns_of = functools.partial(discrete_evaluation.returns_of, "CartPole-v1")
"""Returns `(episodes,)` by a policy, the number of episodes and a seed."""


def evaluation_returns(params: Any) -> NDArray[np.float64]:
    """Returns of a policy, from the same initial states for every policy."""
    return returns_of(policy_of(params), EPISODES, EVALUATION_SEED)


def search(
    params: Any, generations: int, population: int, episodes: int, rng: np.random.Generator, curve: LearningCurve
) -> tuple[Any, int]:
    """Search weights around the given ones, until Ctrl-C; return the weights found, and the number of generations."""
    vector, unravel = npnets.tree.ravel(params)
    # cma draws from NumPy's global state unless `randn` is a function; a seed of NaN prevents it from seeding that
    # state.
    settings = {"popsize": population, "randn": lambda *shape: rng.standard_normal(shape), "seed": np.nan}
    strategy = cma.CMAEvolutionStrategy(vector, FIRST_SPREAD, {**settings, "verbose": -9})

    def params_of(point: NDArray[np.float64]) -> Any:
        return unravel(point.astype(vector.dtype))

    taken = 0
    try:
        curve.add(taken, params)
        for generation in (progress := trange(1, generations + 1, desc="CMA-ES", unit="generation")):
            points, seed = strategy.ask(), int(rng.integers(2**31))
            earned = [returns_of(policy_of(params_of(point)), episodes, seed).mean() for point in points]
            strategy.tell(points, [-mean for mean in earned])
            taken = generation
            progress.set_postfix(best=f"{max(earned):.0f}", spread=f"{strategy.sigma:.2f}", refresh=False)
            if generation % max(1, generations // CHECKPOINTS) == 0:
                curve.add(taken, params_of(strategy.mean))
    except KeyboardInterrupt:
        print("\ninterrupted: saving the current state", file=sys.stderr)
    found = params_of(strategy.mean)
    curve.add(taken, found)
    return found, taken


def run(options: argparse.Namespace) -> int:
    """Search, and print, save and draw the results."""
    prepare_folder(options.out)
    rng, curve, began = np.random.default_rng(options.seed), LearningCurve(evaluation_returns), time.perf_counter()
    settings = {name: getattr(options, name) for name in ("generations", "population", "episodes")}
    params, taken = search(ACTOR.init(rng), **settings, rng=rng, curve=curve)
    found = Run(
        title="CMA-ES on CartPole-v1",
        unit="generations",
        seed=options.seed,
        steps=taken,
        seconds=time.perf_counter() - began,
        settings={**settings, "first_spread": FIRST_SPREAD},
        curves={"CMA-ES": curve},
    )
    save_policy(options.out / "policy.npz", params, ACTOR)
    write_results(options.out, found, libraries=("cma",))
    return 0 if taken == options.generations else 130


def main() -> int:
    """Read the command line and run; print an error in one line."""
    parser = new_parser("cma_es_policy", "Search the weights of a policy with CMA-ES.")
    parser.add_argument("--generations", type=at_least(1), default=60, help="generations of the search (%(default)s)")
    parser.add_argument("--population", type=at_least(2), default=16, help="policies in each generation (%(default)s)")
    parser.add_argument("--episodes", type=at_least(1), default=8, help="episodes of each policy (%(default)s)")
    return run_and_explain(run, parser.parse_args(), "cma_es_policy")


if __name__ == "__main__":
    sys.exit(main())

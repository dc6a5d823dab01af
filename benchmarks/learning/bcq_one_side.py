"""Train BCQ on the example's data with one library, evaluate the policy, and print or keep what came out.

    python -m benchmarks.learning.bcq_one_side npnets --seed 0 --threads 2 --json npnets.json

The settings, the data, the number of steps and the evaluation are the same for both libraries; only the training is
timed. ``learning/bcq_side_by_side.py`` calls this for each library in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import EXAMPLES


def train_npnets(settings: Any, data: Any, seed: int, threads: int) -> tuple[Any, float]:
    """Call the example's ``learn`` ``settings.steps`` times; how the policy acts then, and the seconds that took."""
    import numpy as np
    from tqdm import trange

    from examples.offline.bcq import BCQ

    rng = np.random.default_rng(seed)
    agent = BCQ(settings, data.observations.shape[1], data.actions.shape[1])
    state = agent.init(rng)
    began = time.perf_counter()
    for _ in trange(settings.steps, desc="npnets", unit="step", mininterval=1.0):
        state, _ = agent.learn(state, data.batch(rng, settings.batch_size), rng)
    seconds = time.perf_counter() - began
    acting = np.random.default_rng(seed)
    return lambda observations: agent.act(state.params, observations, acting), seconds


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and evaluate once."""
    from examples.offline.bcq_settings import Hyperparameters
    from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate, mean_and_standard_error
    from examples.shared.transitions import load

    if options.library == "npnets":
        train = train_npnets
    else:
        from benchmarks.learning.bcq_tianshou import train
    settings = Hyperparameters()
    settings = replace(settings, steps=options.steps or settings.steps)
    policy, seconds = train(settings, load(options.data), options.seed, options.threads)
    mean, error = mean_and_standard_error(evaluate(policy, options.episodes, EVALUATION_SEED))
    facts = {"library": options.library, "seed": options.seed, "threads": options.threads, "steps": settings.steps}
    return {**facts, "return_mean": float(mean), "return_standard_error": float(error), "train_seconds": seconds}


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train BCQ on recorded transitions with one library.")
    parser.add_argument("library", choices=("npnets", "tianshou"))
    parser.add_argument("--data", type=Path, default=EXAMPLES / "data" / "pendulum_mixed.npz")
    parser.add_argument("--steps", type=int, help="default: the example's")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--episodes", type=int, default=30, help="of the evaluation; default: %(default)s")
    parser.add_argument("--json", type=Path, help="file to write the result to")
    return parser.parse_args()


def main() -> None:
    """Run once as the command line says; print the result and keep it."""
    options = parse_options()
    # Read by the linear algebra library when NumPy is imported, which is why nothing above imports it.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
    result = run(options)
    print("{library}: return {return_mean:.1f}, trained in {train_seconds:.1f} s".format(**result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

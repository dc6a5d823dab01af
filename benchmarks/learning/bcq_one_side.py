"""One training of BCQ on the example's data with one library, and the evaluation of its policy.

Settings, data, number of steps and evaluation are the same for both libraries; only the training is timed.
`bcq_side_by_side.py` calls `run` for each library in turn, in separate processes.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from benchmarks import TRANSITIONS
from examples.offline.bcq_settings import Hyperparameters
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy, evaluate, mean_and_standard_error
from examples.shared.transitions import Transitions, load


def train_npnets(settings: Hyperparameters, data: Transitions, seed: int) -> tuple[Policy, float]:
    """Call the example's ``learn`` ``settings.steps`` times; return the policy and the seconds of training."""
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


def run(library: str, seed: int, steps: int | None, episodes: int) -> dict[str, Any]:
    """Train and evaluate once; the default of `steps` is the example's."""
    if library == "npnets":
        train = train_npnets
    else:
        from benchmarks.learning.bcq_tianshou import train
    settings = Hyperparameters()
    settings = replace(settings, steps=steps or settings.steps)
    policy, seconds = train(settings, load(TRANSITIONS), seed)
    mean, error = mean_and_standard_error(evaluate(policy, episodes, EVALUATION_SEED))
    return {
        "steps": settings.steps,
        "return_mean": round(float(mean), 2),
        "return_standard_error": round(float(error), 2),
        "train_seconds": round(seconds, 2),
    }

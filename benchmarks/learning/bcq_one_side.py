"""One training of BCQ on the example's data with one library, and the evaluation of its policy.

Settings, data, number of steps and evaluation are the same for both libraries; only the training is timed.
`bcq_side_by_side.py` calls `run` for each library in turn, in separate processes.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
from tqdm import trange

from examples.offline.bcq import BCQ, RECORDED, TUNED, Settings, recorded
from examples.shared.pendulum_evaluation import EVALUATION_SEED, Policy, evaluate, mean_and_standard_error
from npnets.backend import to_numpy
from npnets.data import ReplayBuffer

ENV = "Pendulum-v1"


def train_npnets(settings: Settings, buffer: ReplayBuffer, spaces: Any) -> tuple[Policy, float]:
    """Call the example's ``learn`` ``settings.steps`` times; return the policy and the seconds of training."""
    rng, agent = np.random.default_rng(settings.seed), BCQ(settings, *spaces)
    state = agent.init(rng)
    began = time.perf_counter()
    for _ in trange(settings.steps, desc="npnets", unit="step", mininterval=1.0):
        state, _ = agent.learn(state, buffer.sample(rng, settings.batch_size), rng)
    seconds, policy = time.perf_counter() - began, agent.policy(state)
    return lambda observations: to_numpy(policy.act(observations)), seconds


def run(library: str, seed: int, steps: int | None, episodes: int) -> dict[str, Any]:
    """Train and evaluate once; the default of `steps` is the example's."""
    if library == "npnets":
        train = train_npnets
    else:
        from benchmarks.learning.bcq_tianshou import train
    env = gymnasium.make(ENV)
    spaces = env.observation_space, env.action_space
    settings = Settings(**{**TUNED[ENV], "seed": seed, **({"steps": steps} if steps else {})})
    policy, seconds = train(settings, recorded(str(RECORDED), *spaces), spaces)
    mean, error = mean_and_standard_error(evaluate(policy, episodes, EVALUATION_SEED))
    return {
        "steps": settings.steps,
        "return_mean": round(float(mean), 2),
        "return_standard_error": round(float(error), 2),
        "train_seconds": round(seconds, 2),
    }

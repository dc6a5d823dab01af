"""npnets' side of `sac_side_by_side`: the example, without evaluations and files, as on the other side."""

from __future__ import annotations

import time
from typing import Any

import npnets
from examples.online import sac
from examples.shared.unsaved_run import UnsavedRun
from npnets import training

ENV, EPISODES = "HalfCheetah-v5", 10


def run(seed: int, steps: int, warmup: int) -> dict[str, Any]:
    """Train, and return the seconds of the processor and the return of the trained policy."""
    settings = sac.Settings(env=ENV, seed=seed, steps=steps, warmup=warmup)
    going = UnsavedRun(settings)
    with npnets.threads(1):
        began = time.process_time()
        sac.train(settings, going)
        seconds = time.process_time() - began
        return {"seconds": seconds, **score(going.policy())}


def score(policy: Any) -> dict[str, float]:
    """Return the mean return of a policy and its standard deviation over the episodes."""
    evaluation = training.Evaluation(ENV, EPISODES)
    returns = evaluation.returns(policy)
    evaluation.close()
    return {"return": float(returns.mean()), "return_std": float(returns.std(ddof=1))}

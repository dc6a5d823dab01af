"""Training with npnets' examples, for the comparison of learning curves."""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.learning.problem import Learning, make_env
from examples.online.off_policy import learn_while_acting


def learn(agent: Any, seed: int) -> Learning:
    """Train an example's agent; yield its policy after every step."""
    for step, state, _ in learn_while_acting(agent, make_env, seed):
        yield step, functools.partial(agent.act, state.params)

"""Training with npnets' examples, as a program that uses them would."""

from __future__ import annotations

from itertools import islice
from typing import Any

from benchmarks.learning.problem import make_env
from benchmarks.training.problem import SEED, agent_of
from examples.online.off_policy import learn_while_acting


class Training:
    """An example's agent and its training loop."""

    def __init__(self, algorithm: str) -> None:
        self.agent = agent_of(algorithm)
        self.learning = learn_while_acting(self.agent, make_env, SEED)
        _, self.state, _ = next(self.learning)

    def advance(self, steps: int) -> None:
        """Take steps in the environment, and learn after each."""
        for _, state, _ in islice(self.learning, steps):
            self.state = state

    def act(self, observations: Any) -> Any:
        """Return deterministic actions."""
        return self.agent.act(self.state.params, observations)

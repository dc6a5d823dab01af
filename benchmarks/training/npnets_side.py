"""Training with npnets' examples, as a program that uses them would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.learning.problem import EXAMPLES
from benchmarks.training.problem import agent_of
from examples.shared.unsaved_run import UnsavedRun


class Training:
    """An example's training; each call of `advance` begins a new episode."""

    def __init__(self, algorithm: str) -> None:
        self.train = EXAMPLES[algorithm].train
        self.run = UnsavedRun(agent_of(algorithm).settings)
        self.advance(0)

    def advance(self, steps: int) -> None:
        """Take steps in the environment, and learn after each."""
        self.run.settings = replace(self.run.settings, steps=self.run.step + steps)
        self.train(self.run.settings, self.run)

    def act(self, observations: Any) -> Any:
        """Return deterministic actions."""
        return self.run.policy().act(observations)

"""The task of the whole training step: its settings, and the interface of a training on one side.

Task, algorithms and settings are those of the comparison of learning curves (`benchmarks/learning/problem.py`):
Pendulum-v1 with actions within [-1, 1], which RLtools requires and Stable-Baselines3 uses inside in any case.
"""

from __future__ import annotations

from typing import Any, Protocol

from benchmarks.learning.problem import EXAMPLES, make_agent, settings_of

ALGORITHMS = tuple(EXAMPLES)

CAPACITY = 50_000
"""Transitions that every replay buffer has space for, and the most steps of a training; RLtools compiles it in."""

SEED = 0


class Training(Protocol):
    """A training that goes on, a number of steps at a time."""

    def advance(self, steps: int) -> None:
        """Take steps in the environment; each later one than `warmup` is followed by a learning step."""

    def act(self, observations: Any) -> Any:
        """Return deterministic actions `(n, 1)` within [-1, 1] for observations `(n, 3)`."""


def agent_of(algorithm: str) -> Any:
    """Return npnets' agent, whose `settings` all sides use."""
    return make_agent(algorithm, seed=SEED, buffer_size=CAPACITY)


def warmup(algorithm: str) -> int:
    """Return the number of random steps before the first learning step."""
    return int(settings_of(algorithm).warmup)

"""The transitions that an agent went through, as many as there is room for: the newest push out the oldest."""

from __future__ import annotations

from typing import Any

import numpy as np

from examples.shared.transitions import Array, Batch, Transitions


class ReplayBuffer:
    """Room for transitions, laid out as `Transitions` in float32.

    Parameters
    ----------
    capacity : int
        How many fit in.
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    """

    def __init__(self, capacity: int, obs_dim: int, act_dim: int) -> None:
        if capacity < 1:
            raise ValueError(f"expected room for at least one transition, got capacity={capacity}")
        shapes = ((capacity, obs_dim), (capacity, act_dim), (capacity,), (capacity, obs_dim), (capacity,))
        self._columns = [np.zeros(shape, np.float32) for shape in shapes]
        self._capacity = capacity
        self._added = 0

    def __len__(self) -> int:
        """The number of transitions that are in."""
        return min(self._added, self._capacity)

    def add(self, observation: Array, action: Array, reward: float, following: Array, terminal: bool) -> None:
        """Put one transition in; `terminal` where the episode ended by itself, and not where its time was up."""
        row = self._added % self._capacity
        values: tuple[Any, ...] = (observation, action, reward, following, terminal)
        for column, value in zip(self._columns, values, strict=True):
            column[row] = value
        self._added += 1

    def transitions(self) -> Transitions:
        """Return what is in, as views that follow what is added."""
        return Transitions(*(column[: len(self)] for column in self._columns))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw `size` transitions uniformly with replacement, as `Transitions.batch` does."""
        return self.transitions().batch(rng, size)

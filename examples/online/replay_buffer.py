"""A replay buffer of fixed capacity: new transitions overwrite the oldest."""

from __future__ import annotations

from typing import Any

import numpy as np

from examples.shared.transitions import Array, Batch, draw_batch


class ReplayBuffer:
    """A buffer of transitions in float32, with the columns of `Transitions`.

    Parameters
    ----------
    capacity : int
        Largest number of transitions.
    obs_dim, act_dim : int
        Widths of an observation and of an action.
    """

    def __init__(self, capacity: int, obs_dim: int, act_dim: int) -> None:
        if capacity < 1:
            raise ValueError(f"expected a capacity of at least one transition, got capacity={capacity}")
        shapes = ((capacity, obs_dim), (capacity, act_dim), (capacity,), (capacity, obs_dim), (capacity,))
        self._columns = [np.zeros(shape, np.float32) for shape in shapes]
        self._capacity = capacity
        self._added = 0

    def __len__(self) -> int:
        """The number of stored transitions."""
        return min(self._added, self._capacity)

    def add(self, observation: Array, action: Any, reward: float, following: Array, terminal: float) -> None:
        """Add one transition; `terminal` is true after a terminal state, and false at a time limit.

        An algorithm with another use for it may store any number there.
        """
        row = self._added % self._capacity
        values: tuple[Any, ...] = (observation, action, reward, following, terminal)
        for column, value in zip(self._columns, values, strict=True):
            column[row] = value
        self._added += 1

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw `size` transitions uniformly with replacement, as `Transitions.batch` does."""
        return draw_batch(self._columns, len(self), rng, size)

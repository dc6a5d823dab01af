"""The driver's work as a straight line over the number of tasks, and the speed of many machines beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

MACHINES = (1, 10, 100, 1000)
CORES = 16
"""Cores of a machine; each computes one shard in an iteration."""
TASK_SECONDS = (1.0, 10.0, 60.0)
"""Seconds that a core takes for a shard."""


class DriverWork(NamedTuple):
    """Seconds of the driver's processor time for an iteration, `fixed + per_task * tasks`."""

    fixed: float
    per_task: float

    def seconds(self, tasks: float) -> float:
        """Return the seconds for an iteration with some tasks."""
        return self.fixed + self.per_task * tasks


def fitted(points: Iterable[tuple[float, float]]) -> DriverWork:
    """Return the line through pairs of the number of tasks and the driver's seconds.

    By least squares with no negative part, so that the largest clusters, which are nearest to still larger ones, count
    most.
    """
    tasks, seconds = np.array(list(points)).T
    (fixed, per_task), _ = nnls(np.stack([np.ones_like(tasks), tasks], axis=1), seconds)
    return DriverWork(float(fixed), float(per_task))


def efficiency(work: DriverWork, machines: float, cores: int, task_seconds: float, tasks_a_core: int = 1) -> float:
    """Return the part of an iteration in which the cores compute.

    The driver's work is added to that of the cores as if the two never overlapped, which is the worst case. The network
    and unequal tasks are left out.
    """
    computing = tasks_a_core * task_seconds
    return computing / (computing + work.seconds(machines * cores * tasks_a_core))


def speedup(work: DriverWork, machines: float, cores: int, task_seconds: float) -> float:
    """Return how many times as many tasks a second some machines finish as one does."""
    one, all_of_them = (efficiency(work, number, cores, task_seconds) for number in (1, machines))
    return machines * all_of_them / one

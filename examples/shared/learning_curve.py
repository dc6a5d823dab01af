"""The points of a learning curve: what a policy earned at some steps of its training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LearningCurve:
    """The returns of a policy at some steps of its training; the last entry is the policy as it is saved.

    Parameters
    ----------
    judge : callable
        From the state that a step of learning led to, to the returns `(episodes,)` of its policy.
    """

    def __init__(self, judge: Callable[[Any], NDArray[np.floating]]) -> None:
        self.judge = judge
        self.steps: list[int] = []
        self.returns: list[NDArray[np.floating]] = []

    def add(self, step: int, state: Any) -> None:
        """Judge the policy of a step, unless that was done already."""
        if step not in self.steps:
            self.returns.append(self.judge(state))
            self.steps.append(step)

"""The points of a learning curve: returns of a policy at some steps of its training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LearningCurve:
    """The returns of a policy at some steps of its training; the last entry is that of the saved policy.

    Parameters
    ----------
    evaluate : callable
        From a training state to the returns `(episodes,)` of its policy.
    """

    def __init__(self, evaluate: Callable[[Any], NDArray[np.floating]]) -> None:
        self.evaluate = evaluate
        self.steps: list[int] = []
        self.returns: list[NDArray[np.floating]] = []

    def add(self, step: int, state: Any) -> None:
        """Evaluate the policy of a step, unless the curve has this step already."""
        if step not in self.steps:
            self.returns.append(self.evaluate(state))
            self.steps.append(step)

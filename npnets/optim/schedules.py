"""Schedules of a setting over the updates of a run: values that are called with the number of updates made before."""

import math
from dataclasses import dataclass

import numpy as np

from npnets.description import call_repr, set_plain, size
from npnets.optim.settings import check_not_negative, set_checked


@dataclass(frozen=True, repr=False)
class _Schedule:
    """From one value to another in a number of updates: the arguments of every schedule, and their checks."""

    start: float
    end: float
    steps: int

    __repr__ = call_repr

    def __post_init__(self) -> None:
        set_plain(self)
        set_checked(self, check_not_negative, "start", "end")
        set_checked(self, size, "steps")

    def __call__(self, step: int) -> float:
        """Return the value after a number of updates, as Python's number: NumPy's would promote float32."""
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)):
            raise TypeError(f"step must be an integer, but is {step!r}; pass the number of updates made before")
        if step < 0:
            raise ValueError(f"step must be zero or positive, but is {step}; pass the number of updates made before")
        part = self._course(min(int(step) / self.steps, 1.0))
        # Not `start * (1 - part) + ...`: exact where both are equal.
        return self.start + (self.end - self.start) * part if part < 1 else self.end

    def _course(self, done: float) -> float:
        """Return the fraction of the change that is made once a fraction of the steps is done."""
        return done


@dataclass(frozen=True, repr=False)
class linear_schedule(_Schedule):
    """Go from one value to another in equal steps, and stay there.

    Parameters
    ----------
    start, end : float
        Zero or positive; the values before the first update and from update number `steps` on.
    steps : int
        How many updates it takes.

    Raises
    ------
    TypeError
        If an argument is no number, or `steps` no integer.
    ValueError
        If an argument is out of its range.
    """


@dataclass(frozen=True, repr=False)
class cosine_schedule(_Schedule):
    """Go from one value to another along half a cosine, slowly at both ends (Loshchilov and Hutter 2017).

    Parameters
    ----------
    start, end, steps
        As in `linear_schedule`.

    Raises
    ------
    TypeError, ValueError
        As `linear_schedule`.
    """

    def _course(self, done: float) -> float:
        return (1 - math.cos(math.pi * done)) / 2

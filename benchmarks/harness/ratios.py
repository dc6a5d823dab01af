"""Summaries of the times of several rounds, and of the ratios of two sides' times within each round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """The median over the rounds, and the quartiles around it."""

    median: float
    low: float
    high: float

    def rounded(self, digits: int) -> dict[str, float]:
        """Return the rounded numbers by name, for a result file."""
        return {name: round(value, digits) for name, value in self._asdict().items()}


def within_rounds(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of every round, which does not change if a whole round is slower."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float]) -> Spread:
    """Return the median and quartiles; for a single round, all three are its value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(statistics.median(values), low, high)


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean, in which twice and half as long cancel."""
    return math.exp(statistics.fmean(map(math.log, values)))

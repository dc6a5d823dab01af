"""Times of several rounds, and ratios of two sides' times within each round: what sums them up."""

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
        """Return the numbers by name, as a result file holds them."""
        return {name: round(value, digits) for name, value in self._asdict().items()}


def within_rounds(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of every round: what slows a whole round down does not show in it."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float]) -> Spread:
    """Return the median and quartiles; of a single round, that round's value three times."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(statistics.median(values), low, high)


def geometric_mean(values: Iterable[float]) -> float:
    """Return the mean under which twice and half as long cancel."""
    return math.exp(statistics.fmean(map(math.log, values)))

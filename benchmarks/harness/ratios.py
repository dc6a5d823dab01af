"""Ratios of two sides' times, taken within each round, and what sums many of them up."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Ratio(NamedTuple):
    """The median over the rounds, and the quartiles around it."""

    median: float
    low: float
    high: float


def within_rounds(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of every round: what slows a whole round down does not show in it."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def summary(ratios: Sequence[float]) -> Ratio:
    """Return the median and quartiles; of a single round, that round's ratio three times."""
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(statistics.median(ratios), low, high)


def geometric_mean(values: Iterable[float]) -> float:
    """Return the mean under which twice and half as long cancel."""
    return math.exp(statistics.fmean(map(math.log, values)))

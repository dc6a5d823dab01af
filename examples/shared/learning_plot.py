"""A learning curve on Pendulum-v1: its points, and the picture of it above one episode of the trained policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from examples.shared.pendulum_evaluation import (
    Episode,
    plot_angle,
    plot_learning_curve,
    plot_pendulums,
    plot_torque,
)


class LearningCurve:
    """The returns of a policy at some steps of its training; the last entry is the policy as it is saved.

    Parameters
    ----------
    judge : callable
        From what a step of learning led to, to the returns `(episodes,)` of its policy.
    """

    def __init__(self, judge: Callable[[Any], NDArray[np.floating]]) -> None:
        self.judge = judge
        self.steps: list[int] = []
        self.returns: list[NDArray[np.floating]] = []

    def add(self, step: int, state: Any) -> None:
        """Judge what a step led to, unless that was done already."""
        if step not in self.steps:
            self.returns.append(self.judge(state))
            self.steps.append(step)


@dataclass(frozen=True)
class Words:
    """What a picture says: its title, the curve's name, and what the curve's steps are."""

    title: str
    curve: str
    steps: str


def plot(
    path: str | os.PathLike[str], curve: LearningCurve, levels: Mapping[str, float], episode: Episode, words: Words
) -> None:
    """Write one picture: the learning curve above, one episode of the trained policy below.

    Parameters
    ----------
    path
        File to write; its ending chooses the format (``.png``, ``.svg``, ``.pdf``).
    curve
        At least two points of it.
    levels
        Mean returns to draw as horizontal lines, by their label, such as ``{"behaviour": -927.0}``.
    episode
        What to show of the trained policy.
    words
        What to write beside it.
    """
    # A bare Figure draws with Agg: no window, no display, no state shared with the caller's own plots.
    figure = Figure(figsize=(10, 8.5), dpi=120)
    above = figure.add_gridspec(1, 1, left=0.1, right=0.78, top=0.95, bottom=0.58)
    below = figure.add_gridspec(
        3, 1, height_ratios=(1.2, 3, 2), left=0.1, right=0.97, top=0.45, bottom=0.07, hspace=0.15
    )
    axes = figure.add_subplot(above[0])
    plot_learning_curve(axes, np.array(curve.steps), np.array(curve.returns), levels, words.curve)
    axes.set_xlabel(words.steps)
    axes.set_title(words.title, loc="left", weight="bold")
    strip, angle, torque = (figure.add_subplot(below[row]) for row in range(3))
    title = f"One episode of the trained policy, return {episode.reward.sum():.0f}"
    strip.set_title(title.replace("-", "\u2212"), loc="left", weight="bold", pad=10)
    plot_pendulums(strip, episode)
    plot_angle(angle, episode)
    plot_torque(torque, episode)
    figure.align_ylabels((angle, torque))
    figure.savefig(path)

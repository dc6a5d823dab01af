"""Draws what came of learning with a memory and without one: two learning curves, and one episode of each policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from examples.shared.pendulum_evaluation import (
    BLUE,
    DASHES,
    GREY,
    ORANGE,
    Episode,
    name_levels,
    plot_angle,
    plot_pendulums,
    tidy,
)

COLOURS = (BLUE, ORANGE)
Curves = Mapping[str, NDArray[np.floating]]


def plot_curves(axes: Axes, steps: NDArray[np.integer], curves: Curves, teacher: float) -> None:
    """Draw each student's mean return `(checkpoints, episodes)`, and a band that holds four of five episodes."""
    names = [(teacher, "teacher", GREY)]
    axes.axhline(teacher, color=GREY, linewidth=1.5, linestyle=DASHES)
    for (name, returns), colour in zip(curves.items(), COLOURS, strict=True):
        axes.fill_between(steps, *np.percentile(returns, (10, 90), axis=1), color=colour, alpha=0.15, linewidth=0)
        mean = returns.mean(axis=1)
        axes.plot(steps, mean, color=colour, linewidth=2)
        names.append((float(mean[-1]), name, colour))
    axes.set(xlabel="gradient steps", ylabel="return of an episode", xlim=(0, steps[-1]))
    axes.margins(y=0.1)
    name_levels(axes, names)
    tidy(axes)


def plot_episode(figure: Figure, cell: Any, name: str, episode: Episode, colour: str, last: bool) -> None:
    """Draw one episode of a student: the pendulum at times, and its angle."""
    rows = cell.subgridspec(2, 1, height_ratios=(1, 2.5), hspace=0.1)
    strip, angle = (figure.add_subplot(row) for row in rows)
    earned = f"{episode.reward.sum():.0f}".replace("-", "\u2212")
    strip.set_title(f"One episode, {name} policy, return {earned}", loc="left", weight="bold", pad=10)
    plot_pendulums(strip, episode, colour)
    plot_angle(angle, episode, colour)
    if last:
        angle.tick_params(labelbottom=True)
        angle.set_xlabel("time (s)")


def plot(
    path: str | os.PathLike[str],
    title: str,
    steps: NDArray[np.integer],
    curves: Curves,
    teacher: float,
    episodes: Mapping[str, Episode],
) -> None:
    """Write one picture: the learning curves above, one episode of each student below, both from one start.

    Parameters
    ----------
    path
        File to write; its ending chooses the format.
    title
        What was learned.
    steps
        Gradient steps at which the students were evaluated, `(checkpoints,)`.
    curves
        By a student's name the returns of the episodes played there, `(checkpoints, episodes)`.
    teacher
        The teacher's mean return.
    episodes
        By a student's name what to show of it.
    """
    # A bare Figure draws with Agg: no window, no display, no state shared with the caller's own plots.
    figure = Figure(figsize=(10, 9.5), dpi=120)
    above = figure.add_gridspec(1, 1, left=0.11, right=0.8, top=0.955, bottom=0.63)
    below = figure.add_gridspec(2, 1, left=0.11, right=0.97, top=0.53, bottom=0.06, hspace=0.32)
    axes = figure.add_subplot(above[0])
    plot_curves(axes, steps, curves, teacher)
    axes.set_title(title, loc="left", weight="bold")
    axes.set_title("line: mean; band: four of five episodes", loc="right", size="medium", color=GREY)
    for row, ((name, episode), colour) in enumerate(zip(episodes.items(), COLOURS, strict=True)):
        plot_episode(figure, below[row], name, episode, colour, last=row == len(episodes) - 1)
    figure.align_ylabels()
    figure.savefig(path)

"""Draws the figure of a run from its `results.json`: learning curves, and an episode of each policy."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from examples.shared.drawing import DASHES, TEXT, Palette, add_axes, new_figure, number, save, style, tidy
from examples.shared.pendulum_drawing import plot_angle, plot_pendulums, plot_torque
from examples.shared.pendulum_evaluation import Episode, mean_and_standard_error

TITLE, CURVES, UNDER_AXIS = 0.36, 2.4, 0.62
STRIP, ANGLE, GAP, TORQUE = 0.32, 1.15, 0.14, 1.0
"""Heights in inches."""


def draw(results: Mapping[str, Any], path: str | os.PathLike[str], dark: bool = False) -> None:
    """Write the figure of a run: its learning curves above, and one episode of each policy below.

    Parameters
    ----------
    results : mapping
        The value of `results` in the `results.json` of a run.
    path : path-like
        File to write; its suffix chooses the format.
    dark : bool
        For a dark page: light text and lines on a transparent background.
    """
    episodes = {name: read_episode(arrays) for name, arrays in results["episodes"].items()}
    # Only a figure of one policy has enough space for the torque.
    with_torque = len(episodes) == 1
    below = TITLE + STRIP + ANGLE + (GAP + TORQUE if with_torque else 0) + UNDER_AXIS
    with style(dark) as palette:
        figure = new_figure(TITLE + CURVES + UNDER_AXIS + len(episodes) * below)
        plot_curves(add_axes(figure, TITLE, CURVES), results, palette)
        top = TITLE + CURVES + UNDER_AXIS
        for (name, episode), colour in zip(episodes.items(), itertools.cycle(palette.series), strict=False):
            title = f"One episode: {name}, return {number(episode.reward.sum())}"
            plot_episode(figure, top, title, episode, colour, palette, with_torque)
            top += below
        save(figure, path, dark)


def read_episode(arrays: Mapping[str, list[float]]) -> Episode:
    """Return an episode of a result file."""
    return Episode(**{name: np.array(values, float) for name, values in arrays.items()})


def mean_of(score: Mapping[str, Any]) -> float:
    """Return a mean of a result file, in which null means a number that is not finite."""
    return math.nan if score["mean"] is None else float(score["mean"])


def plot_curves(axes: Axes, results: Mapping[str, Any], palette: Palette) -> None:
    """Draw mean return and standard error of each trained policy, and the returns of the others as horizontal lines."""
    curves, means = results["curves"], {name: mean_of(score) for name, score in results["returns"].items()}
    labels = {name: f"{name} {number(mean)}" for name, mean in means.items()}
    end = max(curve["steps"][-1] for curve in curves.values())
    for (name, curve), colour in zip(curves.items(), itertools.cycle(palette.series), strict=False):
        mean, error = mean_and_standard_error(np.array(curve["returns"], float))
        axes.fill_between(curve["steps"], mean - error, mean + error, color=colour, alpha=0.25, linewidth=0)
        axes.plot(curve["steps"], mean, color=colour, linewidth=2, label=labels[name])
    others = [name for name in means if name not in curves]
    for name, colour in zip(others, itertools.cycle(palette.levels), strict=False):
        axes.axhline(means[name], color=colour, linewidth=1.5, linestyle=DASHES, label=labels[name])
    axes.set(xlabel=results["unit"], xlim=(0, end))
    axes.set_title(f"{results['title']}: return")
    axes.margins(y=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    tidy(axes, palette)
    handles, _ = axes.get_legend_handles_labels()
    band = Patch(color=palette.faint, alpha=0.35, linewidth=0, label="standard error")
    axes.legend(
        handles=[*handles, band],
        loc="center right",
        bbox_to_anchor=(1, 0.62),
        frameon=False,
        handlelength=1.4,
        fontsize=TEXT - 1,
    )  # to the right of the steep part of the curves, between a good and a bad return


def plot_episode(
    figure: Figure, top: float, title: str, episode: Episode, colour: str, palette: Palette, with_torque: bool
) -> None:
    """Draw an episode: the pendulum at some times, its angle, and with `with_torque` the torque."""
    strip = add_axes(figure, top + TITLE, STRIP)
    strip.set_title(title)
    plot_pendulums(strip, episode, colour, palette)
    last = add_axes(figure, top + TITLE + STRIP, ANGLE)
    plot_angle(last, episode, colour, palette)
    if with_torque:
        last.tick_params(labelbottom=False)
        last = add_axes(figure, top + TITLE + STRIP + ANGLE + GAP, TORQUE)
        plot_torque(last, episode, palette.series[1], palette)
    last.set_xlabel("time (s)")

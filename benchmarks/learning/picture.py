"""The figure of two libraries' learning curves: over steps in the environment, and over seconds.

It is drawn from the results that `learning/side_by_side.py` writes. A curve is the mean over the seeds that both
libraries have finished; its band extends from the worst to the best seed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from benchmarks.cpu.picture import NAMES
from benchmarks.learning.rival import LIBRARIES
from benchmarks.learning.table import Pair, pairs
from examples.shared.drawing import DASHES, LIGHT, Palette, add_axes, new_figure, save, style, tidy

OVER = {"steps": "steps in the environment", "seconds": "seconds of learning"}
"""The horizontal axes of the panels."""

TITLE, PANEL, BELOW = 0.4, 1.5, 0.62
"""Heights in inches."""


def draw(results: Mapping[str, Any], path: str | os.PathLike[str], dark: bool = False) -> None:
    """Write the figure, with a panel over steps and one over seconds for each algorithm.

    Parameters
    ----------
    results : mapping
        The value of `results` in the result file, with at least one pair of runs.
    path : path-like
        File to write; its suffix chooses the format.
    dark : bool
        For a dark page: light text and lines on a transparent background.
    """
    with style(dark) as palette:
        save(figure_of(results, palette), path, dark)


def figure_of(results: Mapping[str, Any], palette: Palette = LIGHT) -> Figure:
    """Return the figure."""
    found = pairs(results["runs"])
    panels = [(algorithm, seeds, over) for algorithm, seeds in found.items() for over in OVER]
    height = TITLE + PANEL + BELOW
    figure = new_figure(len(panels) * height)
    for index, (algorithm, seeds, over) in enumerate(panels):
        axes = add_axes(figure, index * height + TITLE, PANEL)
        _panel(axes, seeds, over, results["controller"], palette)
        axes.set_title(f"{algorithm.upper()}: return over {over}")
    figure.axes[0].legend(loc="lower right", frameon=False)
    return figure


def _panel(axes: Axes, seeds: Sequence[Pair], over: str, controller: float, palette: Palette) -> None:
    """Draw one algorithm's curves of both libraries, and the return of the hand-written controller."""
    label = "controller made by hand"
    axes.axhline(controller, color=palette.faint, linewidth=1.2, linestyle=DASHES, label=label)
    for library, runs, colour in zip(LIBRARIES, zip(*seeds, strict=True), palette.series, strict=False):
        draw_curve(axes, runs, over, NAMES[library], colour)
    axes.set(xlabel=OVER[over], xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    tidy(axes, palette)


def draw_curve(axes: Axes, runs: Sequence[Mapping[str, Any]], over: str, name: str, colour: str) -> None:
    """Draw the curve of some seeds, of one library or algorithm, with a dot at its end.

    At a checkpoint, seeds may differ in seconds, and a little in steps; the point is at their mean.
    """
    along = np.mean([run[over] for run in runs], axis=0)
    returns = np.mean([run["returns"] for run in runs], axis=-1)
    mean = returns.mean(axis=0)
    axes.fill_between(along, returns.min(axis=0), returns.max(axis=0), color=colour, alpha=0.18, linewidth=0)
    axes.plot(along, mean, color=colour, linewidth=2, label=name)
    axes.plot(along[-1], mean[-1], "o", color=colour, markersize=5)

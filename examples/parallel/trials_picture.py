"""Draws the trials of a search from its `results.json`: the return against each setting."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from examples.shared.drawing import LEFT, RIGHT, TEXT, WIDTH, Palette, new_figure, number, save, style, tidy

TITLE, HEIGHT, UNDER_AXIS, BETWEEN, LEGEND = 0.36, 1.55, 0.62, 0.4, 0.3
"""Heights and a distance in inches."""
COLUMNS = 2


def draw(results: Mapping[str, Any], path: str | os.PathLike[str], dark: bool = False) -> None:
    """Write the figure of a search: a small diagram for each setting, with a point for each trial.

    Parameters
    ----------
    results : mapping
        The value of `results` in the `results.json` of a search.
    path : path-like
        File to write; its suffix chooses the format.
    dark : bool
        For a dark page: light text and lines on a transparent background.
    """
    names = list(results["space"])
    height = TITLE + math.ceil(len(names) / COLUMNS) * (HEIGHT + UNDER_AXIS) + LEGEND
    with style(dark) as palette:
        figure = new_figure(height)
        width = (WIDTH - LEFT - RIGHT - BETWEEN * (COLUMNS - 1)) / COLUMNS
        for index, name in enumerate(names):
            row, column = divmod(index, COLUMNS)
            left, top = LEFT + column * (width + BETWEEN), TITLE + row * (HEIGHT + UNDER_AXIS)
            box = (left / WIDTH, 1 - (top + HEIGHT) / height, width / WIDTH, HEIGHT / height)
            axes = figure.add_axes(box)
            plot_setting(axes, results, name, palette)
            axes.tick_params(labelleft=column == 0)
        figure.axes[0].set_title(f"{results['title']}: return, best {number(results['best']['return'])}")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False, fontsize=TEXT - 1, handletextpad=0.1)
        save(figure, path, dark)


def plot_setting(axes: Axes, results: Mapping[str, Any], name: str, palette: Palette) -> None:
    """Draw the return of each trial over the value of one setting; failed trials are crosses at the lower edge."""
    trials, best = results["trials"], results["best"]
    colour, mark, *_ = palette.series

    def points(*states: str) -> list[Any]:
        rows = [row for row in trials if row["state"] in states and name in row["settings"]]
        return [[row["settings"][name] for row in rows], [row["return"] for row in rows]]

    axes.plot(*points("complete"), "o", color=colour, markersize=4.5, label="complete")
    axes.plot(*points("pruned"), "o", color=colour, markersize=4.5, markerfacecolor="none", label="stopped early")
    failed, _ = points("fail")
    if failed:
        axes.plot(
            failed, [0.03] * len(failed), "x", color=palette.ink, transform=axes.get_xaxis_transform(), label="failed"
        )
    axes.plot(best["settings"][name], best["return"], "*", color=mark, markersize=11, label="best")
    low, high = results["space"][name]
    axes.set(xscale="log", xlim=(low / 1.15, high * 1.15), xlabel=name)
    axes.xaxis.set_minor_formatter(NullFormatter())
    if isinstance(low, int):
        axes.xaxis.set_major_locator(LogLocator(2))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(y=0.12)
    tidy(axes, palette)

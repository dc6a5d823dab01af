"""The figure of the driver's work: measured on simulated clusters, and the efficiency that it allows on many machines.

It is drawn from the results of `python -m benchmarks.parallel`. A dot is the median over the rounds, and its bar
extends to the quartiles.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from benchmarks.parallel.driver_work import CORES, MACHINES, TASK_SECONDS, DriverWork, efficiency
from benchmarks.parallel.table import work_of
from examples.shared.drawing import DASHES, LIGHT, TEXT, Palette, add_axes, new_figure, save, style, tidy

TITLE, PANEL, BELOW, LEGEND = 0.4, 2.1, 0.66, 0.5
"""Heights in inches."""
LOWEST_LABEL = 0.035
"""The lowest efficiency at which a label is clear of the axis."""

Point = Mapping[str, Any]


def draw(results: Mapping[str, Any], path: str | os.PathLike[str], dark: bool = False) -> None:
    """Write the figure.

    Parameters
    ----------
    results : mapping
        The value of `results` in the result file.
    path : path-like
        File to write; its suffix chooses the format.
    dark : bool
        For a dark page: light text and lines on a transparent background.
    """
    with style(dark) as palette:
        save(figure_of(results, palette), path, dark)


def figure_of(results: Mapping[str, Any], palette: Palette = LIGHT) -> Figure:
    """Return the figure: the driver's seconds over the number of tasks, and efficiency over the number of machines."""
    found = results["clusters"]
    work, height = work_of(found["points"]), TITLE + PANEL + BELOW
    figure = new_figure(2 * height + LEGEND)
    _driver(add_axes(figure, TITLE, PANEL), found["points"], work, palette)
    _efficiency(add_axes(figure, height + TITLE, PANEL), found, work, palette)
    return figure


def _driver(axes: Axes, points: Sequence[Point], work: DriverWork, palette: Palette) -> None:
    tasks = [0, points[-1]["tasks"]]
    fixed = f"{work.fixed * 1e3:.0f} ms + " if work.fixed else ""
    line = f"{fixed}{work.per_task * 1e3:.1f} ms a task"
    axes.plot(
        tasks, [work.seconds(number) * 1e3 for number in tasks], color=palette.faint, linestyle=DASHES, label=line
    )
    driver = {name: np.array([point["driver"][name] * 1e3 for point in points]) for name in ("median", "low", "high")}
    _dots(axes, [point["tasks"] for point in points], driver, palette.series[0], "measured")
    axes.set_title("The driver's work for one iteration, ms")
    axes.set(xlabel="tasks in the iteration", xlim=(0, None), ylim=(0, None))
    axes.legend(loc="upper left", frameon=False)
    tidy(axes, palette)


def _efficiency(axes: Axes, found: Mapping[str, Any], work: DriverWork, palette: Palette) -> None:
    machines = np.geomspace(MACHINES[0], MACHINES[-1], 100)
    for seconds, colour in zip(TASK_SECONDS, palette.levels, strict=True):
        curve = [efficiency(work, number, CORES, seconds) for number in machines]
        axes.plot(machines, curve, color=colour, linewidth=2)
        end = (machines[-1], max(curve[-1], LOWEST_LABEL))
        axes.annotate(f"{seconds:g} s", end, (6, -4), textcoords="offset points", color=colour)
    axes.plot([], [], color=palette.ink, linewidth=2, label=f"computed, {CORES} cores each")
    _measured(axes, found, work, palette.series[0])
    axes.set_title("Part of the time in which the cores compute")
    axes.set(xlabel="machines", xscale="log", xlim=(0.9, 2.5 * MACHINES[-1]), ylim=(0, 1.04), xticks=MACHINES)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.24), frameon=False, fontsize=TEXT - 1)
    tidy(axes, palette)


def _measured(axes: Axes, found: Mapping[str, Any], work: DriverWork, colour: str) -> None:
    """Draw the efficiency on simulated clusters, and that which is computed for them."""
    points, seconds, tasks = found["points"], found["task_seconds"], found["tasks_a_node"]
    nodes = np.geomspace(1, points[-1]["nodes"], 50)
    curve = [efficiency(work, number, 1, seconds, tasks) for number in nodes]
    axes.plot(nodes, curve, color=colour, linestyle=DASHES, linewidth=1.2)
    ends = {"median": "median", "low": "high", "high": "low"}  # the longest iteration has the lowest efficiency
    parts = {
        name: np.array([seconds * tasks / point["iteration"][end] for point in points]) for name, end in ends.items()
    }
    _dots(axes, [point["nodes"] for point in points], parts, colour, f"measured, 1 core, tasks of {seconds:g} s")


def _dots(axes: Axes, along: Sequence[float], found: Mapping[str, Any], colour: str, label: str) -> None:
    """Draw medians with bars to their quartiles."""
    bars = np.abs([found["median"] - found["low"], found["high"] - found["median"]])
    axes.errorbar(along, found["median"], bars, fmt="o", color=colour, markersize=5, label=label)

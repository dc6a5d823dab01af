"""The figure of runs in several environments: a panel for each environment, a curve for each algorithm.

A curve is the mean over the seeds; its band extends from the worst to the best seed. Points are published means over
seeds, with their standard deviations, where there are some.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from benchmarks.learning.mujoco_published import RETURNS, Published
from benchmarks.learning.picture import draw_curve
from examples.shared.drawing import LIGHT, Palette, add_axes, new_figure, save, style, tidy

TITLE, PANEL, BELOW = 0.4, 1.7, 0.62
"""Heights in inches."""

Results = Mapping[str, Any]


def draw(runs: Sequence[Results], path: str | os.PathLike[str], dark: bool = False) -> None:
    """Write the figure.

    Parameters
    ----------
    runs : sequence of mappings
        The values of `results` in the result files, one for each algorithm, environment and seed.
    path : path-like
        File to write; its suffix chooses the format.
    dark : bool
        For a dark page: light text and lines on a transparent background.
    """
    with style(dark) as palette:
        save(figure_of(runs, palette), path, dark)


def figure_of(runs: Sequence[Results], palette: Palette = LIGHT) -> Figure:
    """Return the figure."""
    found = curves(runs)
    height = TITLE + PANEL + BELOW
    figure = new_figure(len(found) * height)
    for index, (env, algorithms) in enumerate(found.items()):
        axes = add_axes(figure, index * height + TITLE, PANEL)
        for (name, seeds), colour in zip(algorithms.items(), palette.series, strict=False):
            draw_curve(axes, seeds, "steps", name, colour)
            _draw_published(axes, RETURNS.get((name, env), ()), seeds[0]["steps"][-1], colour)
        axes.set(xlabel="steps in the environment", xlim=(0, None))
        axes.set_title(f"{env}: return")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        tidy(axes, palette)
        _name_curves(axes)
    return figure


def _name_curves(axes: Axes) -> None:
    """Put the names of the curves beside the title, because they would lie over a curve within the axes."""
    tight: dict[str, Any] = {"borderpad": 0.2, "borderaxespad": 0.2, "columnspacing": 0.8, "handletextpad": 0.3}
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=9, handlelength=0.6, frameon=False, **tight)


def curves(runs: Sequence[Results]) -> dict[str, dict[str, list[Results]]]:
    """Return the learning curves of all seeds, by environment and algorithm."""
    found: dict[str, dict[str, list[Results]]] = {}
    for run in runs:
        for name, curve in _curves_of(run).items():
            found.setdefault(run["settings"]["env"], {}).setdefault(name, []).append(curve)
    return found


def _curves_of(run: Results) -> Results:
    """Return the curves of one run by the names of its policies; of a run in `npnets.training`, from its rows."""
    if "curves" in run:
        return run["curves"]
    (name,) = run["returns"]
    steps, returns = ([row[column] for row in run["progress"]] for column in ("steps", "return"))
    return {name: {"steps": steps, "returns": [[mean] for mean in returns]}}


def _draw_published(axes: Axes, published: Sequence[Published], until: float, colour: str) -> None:
    """Draw published returns up to the last step of a curve."""
    shown = [one for one in published if one.steps <= 1.05 * until]
    if shown:
        steps, means, deviations = zip(*shown, strict=True)
        axes.errorbar(steps, means, deviations, fmt="s", color=colour, markersize=3, linewidth=1, capsize=2)

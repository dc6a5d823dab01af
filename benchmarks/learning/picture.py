"""The picture of two libraries' learning curves: over steps in the environment, and over seconds.

Knows neither library, only what `learning/one_side.py` writes. A curve is the mean over the seeds that both libraries
have finished; its band goes from the worst seed to the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.cpu.picture import COLOURS, NAMES
from benchmarks.learning.rival import LIBRARIES
from benchmarks.learning.table import Run, pairs
from examples.shared.drawing import DASHES, LIGHT, tidy

AXES = {"steps": "steps in the environment", "seconds": "seconds of learning"}
"""What curves are drawn over."""


def figure_of(runs: Sequence[Run], controller: float) -> Figure:
    """Return a figure with a row for each algorithm.

    Parameters
    ----------
    runs : sequence of dict
        Of both libraries, at least one pair.
    controller : float
        What a controller made by hand earns, to compare with.
    """
    found = pairs(runs)
    # A bare Figure draws with Agg: no window, no display, no state shared with the caller's own plots.
    figure = Figure(figsize=(11, 0.8 + 3.4 * len(found)), dpi=120, layout="constrained")
    panels = figure.subplots(len(found), len(AXES), sharey="row", sharex="col", squeeze=False)
    for row, (algorithm, seeds) in zip(panels, found.items(), strict=True):
        for axes, over in zip(row, AXES, strict=True):
            axes.axhline(
                controller, color=LIGHT.faint, linewidth=1.2, linestyle=DASHES, label="controller made by hand"
            )
            for library, side in zip(LIBRARIES, zip(*seeds, strict=True), strict=True):
                plot_curve(axes, side, over, library)
            tidy(axes)
        row[0].set_title(_title(algorithm, seeds), loc="left", weight="bold")
        row[0].set_ylabel("return of an episode")
    for axes, words in zip(panels[-1], AXES.values(), strict=True):
        axes.set(xlabel=words, xlim=(0, None))
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
    return figure


def plot_curve(axes: Axes, runs: Sequence[Run], over: str, library: str) -> None:
    """Draw one library's curve of one algorithm, with a dot where it ends.

    At a checkpoint the seeds have taken equal steps, but not equal seconds: it stands at their mean.
    """
    along = np.mean([run[over] for run in runs], axis=0)
    returns = np.mean([run["returns"] for run in runs], axis=-1)
    colour, mean = COLOURS[library], returns.mean(axis=0)
    axes.fill_between(along, returns.min(axis=0), returns.max(axis=0), color=colour, alpha=0.18, linewidth=0)
    axes.plot(along, mean, color=colour, linewidth=2, label=NAMES[library])
    axes.plot(along[-1], mean[-1], "o", color=colour, markersize=5)


def _title(algorithm: str, seeds: Sequence[Any]) -> str:
    several = len(seeds) > 1
    return f"{algorithm.upper()}, {len(seeds)} seed{'s' * several}" + ": mean, worst and best" * several

"""The figures of the speed benchmark: the ratio and the floor of every cell, and the growth of cost."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.cpu.cells import Cell
from benchmarks.cpu.growth import AXES, SIDES, points_of
from benchmarks.cpu.results import times_of
from benchmarks.harness.ratios import Spread, spread, within_rounds
from benchmarks.harness.turns import Times

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#666666"
COLOURS = {"npnets": BLUE, "tianshou": ORANGE}
NAMES = {"npnets": "npnets", "tianshou": "Tianshou on PyTorch"}
LIMITS = 0.05, 20.0
"""The range of the ratios' axis; a marker outside the range is drawn at its end."""

MARKS = {
    "products": {"marker": "|", "color": "black", "s": 90, "linewidths": 2, "label": "matrix products alone"},
    "torch": {"marker": "o", "facecolors": "none", "edgecolors": ORANGE, "s": 16, "label": "PyTorch alone"},
    "npnets_numpy": {"marker": "o", "facecolors": "none", "edgecolors": BLUE, "s": 16, "label": "NumPy kernels"},
    "jax": {"marker": "D", "facecolors": "none", "edgecolors": GREY, "s": 14, "label": "JAX under jit"},
    "autograd": {"marker": "x", "color": GREY, "s": 16, "linewidths": 1, "label": "plain autograd"},
}


def figure_of_ratios(found: dict[str, Any]) -> Figure:
    """Return a figure with a panel for each number of threads and a bar for each cell; Tianshou's time is one."""
    by_threads = {int(threads): _with_tianshou(times_of(one)) for threads, one in found["threads"].items()}
    cells = list(next(iter(by_threads.values())))
    figure = Figure(figsize=(4.2 + 4.4 * len(by_threads), 2 + 0.19 * len(cells)), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(by_threads), sharey=True, squeeze=False)[0]
    for axes, (threads, times) in zip(panels, by_threads.items(), strict=True):
        _draw_panel(axes, times)
        axes.set_title(f"{threads} thread{'s' * (threads > 1)}", loc="left", weight="bold")
    panels[0].set_yticks(range(len(cells)), [f"{cell.workload.replace('_', ' ')}, {cell.size}" for cell in cells])
    panels[0].set_ylim(len(cells) - 0.4, -0.6)
    figure.supxlabel(
        "npnets' time divided by Tianshou's, with quartiles; left of the line is faster", fontsize="medium"
    )
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=5, frameon=False, fontsize="small")
    return figure


def _with_tianshou(times: Times) -> Times:
    return {cell: sides for cell, sides in times.items() if {"npnets", "tianshou"} <= sides.keys()}


def _draw_panel(axes: Any, times: Times) -> None:
    _draw_bars(axes, [_over_tianshou(sides, "npnets") for sides in times.values()])
    for side, style in MARKS.items():
        shares = {row: _over_tianshou(found, side).median for row, found in enumerate(times.values()) if side in found}
        inside = [min(max(share, LIMITS[0]), LIMITS[1]) for share in shares.values()]
        axes.scatter(inside, list(shares), zorder=3, clip_on=False, **style)
    axes.axvline(1, color="black", lw=0.8)
    axes.set(xscale="log", xlim=LIMITS)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize="small")
    _tidy(axes)
    _separate(axes, list(times))


def _over_tianshou(sides: dict[str, list[float]], side: str) -> Spread:
    return spread(within_rounds(sides[side], sides["tianshou"]))


def _draw_bars(axes: Any, ratios: list[Spread]) -> None:
    rows, colours = range(len(ratios)), [BLUE if ratio.median <= 1 else ORANGE for ratio in ratios]
    axes.barh(rows, [ratio.median - 1 for ratio in ratios], left=1, height=0.7, color=colours, alpha=0.6)
    lows, highs = [ratio.low for ratio in ratios], [ratio.high for ratio in ratios]
    axes.hlines(rows, lows, highs, color="black", lw=0.8)


def _separate(axes: Any, cells: list[Cell]) -> None:
    """Draw a line between workloads."""
    for row, (before, after) in enumerate(zip(cells, cells[1:], strict=False)):
        if (before.network, before.kind) != (after.network, after.kind):
            axes.axhline(row + 0.5, color=GREY, lw=0.3)


def figure_of_growth(found: dict[str, Any]) -> Figure:
    """Return a figure with a column for each axis: times above, memory below, both axes logarithmic."""
    points = points_of(found)
    figure = Figure(figsize=(13, 6.5), dpi=120, layout="constrained")
    panels = figure.subplots(2, len(AXES), sharex="col", sharey="row")
    for column, name in zip(panels.T, AXES, strict=True):
        for side in SIDES:
            shown = [point for point in points if (point.axis, point.side) == (name, side)]
            sizes, style = [point.size for point in shown], {"color": COLOURS[side], "label": NAMES[side], "ms": 4}
            column[0].plot(sizes, [point.microseconds / 1e6 for point in shown], "o-", **style)
            column[1].plot(sizes, [point.peak / 1e9 for point in shown], "o-", **style)
        column[0].set_title(name, loc="left", weight="bold")
        column[1].set_xlabel({"steps": "steps of a sequence", "depth": "hidden layers"}.get(name, name))
        for axes in column:
            axes.set(xscale="log", yscale="log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            _tidy(axes)
    panels[0, 0].set_ylabel("seconds a gradient")
    panels[1, 0].set_ylabel("peak memory, GB")
    panels[0, 0].legend(frameon=False)
    return figure


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=GREY, alpha=0.15)

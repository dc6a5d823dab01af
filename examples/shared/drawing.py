"""The style of the examples' figures: colours for light and dark pages, and text that is readable on a phone.

A figure is `WIDTH` inches wide. A phone shows it about 360 pixels wide, so that a point of text becomes a pixel.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH, LEFT, RIGHT = 5.0, 0.72, 0.3
"""Width of a figure and of its left and right margins, in inches."""
TEXT, DPI = 11, 200
DASHES = (0, (5, 3))


@dataclass(frozen=True)
class Palette:
    """Colours by use: `series` for curves, `levels` for the horizontal lines of baselines."""

    ink: str
    faint: str
    grid: str
    series: tuple[str, ...]
    levels: tuple[str, ...]


LIGHT = Palette("#222222", "#777777", "#e6e6e6", ("#2166ac", "#d6604d", "#5aae61"), ("#777777", "#b35806", "#1b7837"))
DARK = Palette("#e8e8e8", "#a0a0a0", "#41464d", ("#74b3f0", "#f59a83", "#9bd79f"), ("#a8a8a8", "#f0b067", "#86cf93"))


@contextmanager
def style(dark: bool) -> Iterator[Palette]:
    """Set the size of text and the colours for a light or a dark page."""
    palette = DARK if dark else LIGHT
    coloured = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    settings: dict[Any, Any] = {name: palette.ink for name in coloured}
    settings |= {"font.size": TEXT, "axes.titlesize": TEXT, "axes.titleweight": "bold", "axes.titlelocation": "left"}
    with matplotlib.rc_context({**settings, "xtick.labelsize": TEXT - 1, "ytick.labelsize": TEXT - 1}):
        yield palette


def new_figure(height: float) -> Figure:
    """Return a figure of a height in inches; it uses Agg: no window, and no state shared with other plots."""
    return Figure(figsize=(WIDTH, height), dpi=DPI)


def add_axes(figure: Figure, top: float, height: float) -> Axes:
    """Add axes of full width, whose top edge is `top` inches below that of the figure."""
    whole = figure.get_figheight()
    return figure.add_axes((LEFT / WIDTH, 1 - (top + height) / whole, (WIDTH - LEFT - RIGHT) / WIDTH, height / whole))


def save(figure: Figure, path: str | os.PathLike[str], dark: bool) -> None:
    """Write a figure; a dark one is transparent, so that it suits every dark page."""
    figure.savefig(path, transparent=dark)


def tidy(axes: Axes, palette: Palette = LIGHT) -> None:
    """Draw horizontal grid lines behind the curves, and remove the box around them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)


def number(value: float) -> str:
    """Format a number as an integer, with a minus sign as wide as a digit."""
    return f"{value:.0f}".replace("-", "\u2212")

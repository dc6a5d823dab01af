"""How the pictures of the examples look: colours for light and for dark pages, text that a phone shows readably.

A figure is `WIDTH` inches wide, and a phone's page shows it about 360 pixels wide: a point of text becomes a pixel.
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
"""Of a figure, and of the margins beside its axes: inches."""
TEXT, DPI = 11, 200
DASHES = (0, (5, 3))


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for; `series` holds those of curves, `levels` those of what curves are held against."""

    ink: str
    faint: str
    grid: str
    series: tuple[str, ...]
    levels: tuple[str, ...]


LIGHT = Palette("#222222", "#777777", "#e6e6e6", ("#2166ac", "#d6604d"), ("#777777", "#b35806", "#1b7837"))
DARK = Palette("#e8e8e8", "#a0a0a0", "#41464d", ("#74b3f0", "#f59a83"), ("#a8a8a8", "#f0b067", "#86cf93"))


@contextmanager
def style(dark: bool) -> Iterator[Palette]:
    """Draw with text that is large enough, in the colours for a light or a dark page."""
    palette = DARK if dark else LIGHT
    coloured = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    settings: dict[Any, Any] = {name: palette.ink for name in coloured}
    settings |= {"font.size": TEXT, "axes.titlesize": TEXT, "axes.titleweight": "bold", "axes.titlelocation": "left"}
    with matplotlib.rc_context({**settings, "xtick.labelsize": TEXT - 1, "ytick.labelsize": TEXT - 1}):
        yield palette


def new_figure(height: float) -> Figure:
    """Return a figure of a height in inches; it draws with Agg: no window, no state shared with other plots."""
    return Figure(figsize=(WIDTH, height), dpi=DPI)


def add_axes(figure: Figure, top: float, height: float) -> Axes:
    """Add axes as wide as the figure allows, their top edge some inches below its own."""
    whole = figure.get_figheight()
    return figure.add_axes((LEFT / WIDTH, 1 - (top + height) / whole, (WIDTH - LEFT - RIGHT) / WIDTH, height / whole))


def save(figure: Figure, path: str | os.PathLike[str], dark: bool) -> None:
    """Write a figure; a dark one is transparent, so that it suits every dark page."""
    figure.savefig(path, transparent=dark)


def tidy(axes: Axes, palette: Palette = LIGHT) -> None:
    """Leave a grid of levels behind the curves, and no box around them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)


def number(value: float) -> str:
    """Return a whole number with a minus sign as wide as a digit."""
    return f"{value:.0f}".replace("-", "\u2212")

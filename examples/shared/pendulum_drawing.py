"""Draws one episode of Pendulum-v1: the pendulum itself at some times, its angle, and the torque."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator
from matplotlib.transforms import ScaledTranslation

from examples.shared.drawing import DASHES, LEFT, RIGHT, WIDTH, Palette, tidy
from examples.shared.pendulum_evaluation import MAX_TORQUE, SECONDS_PER_STEP, Episode

PENDULUMS = 20
# In inches, so that it does not depend on the direction of the rod: nearly half the distance between two pendulums.
LENGTH = 0.47 * (WIDTH - LEFT - RIGHT) / PENDULUMS


def seconds(episode: Episode) -> float:
    """Return the duration of an episode in seconds."""
    return len(episode.angle) * SECONDS_PER_STEP


def plot_pendulums(axes: Axes, episode: Episode, colour: str, palette: Palette) -> None:
    """Draw the pendulum at evenly spaced times, each at its position on the time axis."""
    axes.set(xlim=(0, seconds(episode)), ylim=(-1, 1))
    axes.axis("off")
    figure = axes.get_figure(root=True)
    assert figure is not None
    every = max(1, len(episode.angle) // PENDULUMS)
    for step, angle in enumerate(episode.angle[::every]):
        time = step * every * SECONDS_PER_STEP
        around_pivot = figure.dpi_scale_trans + ScaledTranslation(time, 0, axes.transData)  # type: ignore[arg-type]
        tip = (-LENGTH * np.sin(angle), LENGTH * np.cos(angle))
        parts = axes.plot((0, tip[0]), (0, tip[1]), color=colour, linewidth=1.6, solid_capstyle="round")
        parts += axes.plot(*tip, "o", color=colour, markersize=3.5)
        parts += axes.plot(0, 0, "o", color=palette.ink, markersize=1.5)
        for part in parts:
            part.set(transform=around_pivot, clip_on=False)


def plot_angle(axes: Axes, episode: Episode, colour: str, palette: Palette) -> None:
    """Draw the angle from upright over time in degrees, unwrapped so that the last turn ends near 0."""
    angle = np.unwrap(episode.angle)
    angle = np.degrees(angle - 2 * np.pi * np.round(angle[-1] / (2 * np.pi)))
    axes.axhline(0, color=palette.faint, linewidth=1, linestyle=DASHES)
    axes.plot(np.arange(len(angle)) * SECONDS_PER_STEP, angle, color=colour, linewidth=1.8)
    axes.set(ylabel="angle (°)", xlim=(0, seconds(episode)))
    # Half a turn between ticks, or more if the pendulum turns so often that labels would overlap.
    axes.yaxis.set_major_locator(MultipleLocator(180 * 2 ** np.ceil(np.log2(np.fmax(np.ptp(angle), 720) / 720))))
    tidy(axes, palette)


def plot_torque(axes: Axes, episode: Episode, colour: str, palette: Palette) -> None:
    """Draw the torque over time as a step function."""
    edges = np.arange(len(episode.torque) + 1) * SECONDS_PER_STEP
    axes.stairs(episode.torque, edges, baseline=0, fill=True, color=colour, alpha=0.25)
    axes.stairs(episode.torque, edges, baseline=None, color=colour, linewidth=1)
    limit = 1.15 * MAX_TORQUE
    axes.set(ylabel="torque (N m)", xlim=(0, edges[-1]), ylim=(-limit, limit), yticks=(-MAX_TORQUE, 0, MAX_TORQUE))
    tidy(axes, palette)

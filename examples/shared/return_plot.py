"""What a search for a policy leaves behind: the policy, and a picture of what it earned while it learned."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from examples.shared.pendulum_evaluation import plot_learning_curve
from examples.shared.results_folder import save_policy, write

Curve = Mapping[int, NDArray[np.floating]]


def conclude(
    out: Path, title: str, unit: str, network: Any, params: Any, curve: Curve, last: NDArray[np.floating]
) -> None:
    """Print, save and draw what was found; `last` are the returns of the last policy, the rest as in `draw`."""
    print(f"mean return over {len(last)} episodes: {curve[0].mean():.0f} before, {last.mean():.0f} after")
    save_policy(out / "policy.npz", params, network)
    if len(curve) > 1:
        write(out / "learning.png", lambda path: draw(path, title, unit, curve))


def draw(path: str | os.PathLike[str], title: str, unit: str, curve: Curve) -> None:
    """Write a picture of the mean return and its standard error.

    Parameters
    ----------
    path
        File to write; its ending chooses the format.
    title
        What was learned, and how.
    unit
        What was counted while learning.
    curve
        By that count the returns of the episodes played there, `(episodes,)`.
    """
    figure = Figure(figsize=(9, 4.5), dpi=120)
    axes = figure.add_axes((0.1, 0.13, 0.72, 0.77))
    plot_learning_curve(axes, np.array(list(curve)), np.array(list(curve.values())), {}, "mean")
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", weight="bold")
    axes.set_title("band: standard error", loc="right", size="medium")
    figure.savefig(path)

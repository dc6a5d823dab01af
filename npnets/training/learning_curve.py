"""The picture of a run: the return of its evaluations over the steps, with the spread over episodes."""

from pathlib import Path

from npnets.files.atomic_write import replace
from npnets.training.records import Row


def draw(path: Path, rows: list[Row], title: str) -> None:
    """Write a picture of the rows of `progress.csv`; without Matplotlib, nothing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    steps, means, spread = ([row[name] for row in rows] for name in ("steps", "return", "return_std"))
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, means)
    low, high = ([mean + sign * std for mean, std in zip(means, spread, strict=True)] for sign in (-1, 1))
    axes.fill_between(steps, low, high, alpha=0.2, linewidth=0)
    axes.set(title=title, xlabel="steps", ylabel="return of an episode")
    replace(str(path), lambda file: figure.savefig(file, format="png", dpi=150))

"""The picture of a run has the returns over the steps, with a band of a deviation on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npnets.training import learning_curve

figure = pytest.importorskip("matplotlib.figure")
pytestmark = pytest.mark.numpy_alone("draws rows of numbers")

ROWS: list[dict[str, float]] = [
    {"steps": 0, "seconds": 70.0, "return": -3.0, "return_std": 1.0},
    {"steps": 10, "seconds": 90.0, "return": -1.0, "return_std": 0.5},
]


def test_the_line_is_the_return_over_the_steps_and_the_band_its_deviation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    class Kept(figure.Figure):  # type: ignore[misc, name-defined]
        """A figure that is kept to be looked at."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            drawn.append(self)

    monkeypatch.setattr(figure, "Figure", Kept)
    learning_curve.draw(tmp_path / "learning.png", ROWS, "a run")
    (axes,) = drawn[0].axes
    (line,), (band,) = axes.lines, axes.collections
    np.testing.assert_array_equal(line.get_xydata(), [[0, -3], [10, -1]])
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert corners == {(0, -4), (0, -2), (10, -1.5), (10, -0.5)}
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")

"""The figure of the examples with discrete actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.learning.environments_picture import draw, figure_of

pytestmark = pytest.mark.numpy_alone("draws a figure")


def run_of(env: str, name: str, *returns: float) -> dict[str, Any]:
    curve = {"steps": [0, 10, 20], "returns": [[earned - 1, earned + 1] for earned in returns]}
    return {"settings": {"env": env}, "curves": {name: curve}}


RUNS = [
    run_of("CartPole-v1", "PPO", 10, 300, 500),
    run_of("CartPole-v1", "PPO", 20, 400, 500),
    run_of("CartPole-v1", "IQN", 9, 100, 200),
    run_of("Acrobot-v1", "PPO", -500, -90, -80),
]


def test_each_environment_has_a_panel_with_the_mean_over_the_seeds_of_each_algorithm_and_a_band_that_holds_them() -> (
    None
):
    cart, acrobot = figure_of(RUNS).axes
    assert [cart.get_title(), acrobot.get_title()] == ["CartPole-v1: return", "Acrobot-v1: return"]
    assert [text.get_text() for text in cart.get_legend().get_texts()] == ["PPO", "IQN"]
    np.testing.assert_array_equal(cart.lines[0].get_xydata(), [[0, 15], [10, 350], [20, 500]])
    edges = cart.collections[0].get_paths()[0].vertices
    assert {300.0, 400.0} <= set(edges[:, 1]) and edges[:, 1].min() == 10
    np.testing.assert_array_equal(acrobot.lines[0].get_ydata(), [-500, -90, -80])


def test_the_dark_figure_is_transparent_and_the_light_one_is_not(tmp_path: Path) -> None:
    from matplotlib.image import imread

    for dark in (False, True):
        draw(RUNS, tmp_path / "figure.png", dark)
        assert imread(tmp_path / "figure.png")[0, 0, 3] == (0 if dark else 1)

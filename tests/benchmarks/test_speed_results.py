"""The result file of the benchmark of speed: medians, ratios within rounds, their means by group, and the bars."""

from __future__ import annotations

import pytest

from benchmarks.cpu.bars import ratio
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.results import summed_up, times_of
from benchmarks.cpu.table import times_table

pytestmark = pytest.mark.numpy_alone("sums plain numbers up")

ACTOR, CRITIC = Cell("actor", "forward", 32), Cell("critic", "forward", 32)
LSTM, ADAM = Cell("recurrent_actor", "gradient", 64, 16), Cell("actor", "adam", 256)
TIMES = {
    ACTOR: {"npnets": [10.0, 40.0, 20.0], "tianshou": [20.0, 40.0, 80.0], "products": [5.0, 5.0, 5.0]},
    CRITIC: {"npnets": [8.0, 8.0, 8.0], "tianshou": [4.0, 4.0, 4.0]},
    LSTM: {"npnets": [3.0, 3.0, 3.0], "tianshou": [4.0, 4.0, 4.0]},
    ADAM: {"npnets": [9.0, 9.0, 9.0], "autograd": [6.0, 6.0, 6.0]},
}


def test_a_cell_has_its_medians_and_the_median_of_the_ratios_within_rounds() -> None:
    cell = summed_up(TIMES, 0.0)["cells"][0]
    assert (cell["network"], cell["kind"], cell["batch"], cell["size"]) == ("actor", "forward", 32, "32")
    assert cell["microseconds"]["npnets"] == {"median": 20.0, "low": 15.0, "high": 30.0}
    assert ratio(TIMES, ACTOR, "npnets", "tianshou") == 0.5


def test_groups_are_geometric_means_over_networks_and_algorithms_stand_alone() -> None:
    found = summed_up(TIMES, 0.0)["over"]["npnets"]
    assert found["groups"] == {
        "forward, 32": {"tianshou": pytest.approx(1.0), "products": pytest.approx(4.0)},
        "recurrent gradient, 64 x 16": {"tianshou": pytest.approx(0.75)},
        "adam step": {"autograd": pytest.approx(1.5)},
    }
    assert found["means"]["tianshou"] == {
        "all": pytest.approx(0.75 ** (1 / 3), abs=1e-4),
        "forward": 1.0,
        "gradient": 0.75,
    }
    assert "autograd" not in found["means"]  # a step of Adam is neither a forward nor a gradient


def test_a_bar_names_its_worst_cell_and_whether_it_is_met() -> None:
    bars = {bar["text"]: bar for bar in summed_up(TIMES, 0.0)["over"]["npnets"]["bars"]}
    forward, gradient = bars["forward over Tianshou"], bars["gradient over Tianshou"]
    assert (forward["holds"], forward["found"], forward["worst"], forward["broken"]) == (
        False,
        2.0,
        "critic_forward 32",
        1,
    )
    assert (gradient["holds"], gradient["found"]) == (True, 0.75)


def test_times_loaded_from_the_file_give_the_same_table() -> None:
    again = times_of(summed_up(TIMES, 0.0))
    assert again == TIMES and times_table(again) == times_table(TIMES)

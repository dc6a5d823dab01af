"""Statistics of rounds: medians and quartiles of given times, ratios within rounds, geometric means."""

from __future__ import annotations

import pytest

from benchmarks.harness.ratios import geometric_mean, spread, within_rounds

pytestmark = pytest.mark.numpy_alone("computes with plain numbers")


def test_a_spread_is_the_median_with_the_quartiles_whatever_the_order_of_the_rounds() -> None:
    assert spread([9.0, 1.0, 3.0, 7.0, 5.0]) == (5.0, 3.0, 7.0)


def test_the_spread_of_a_single_round_is_that_round() -> None:
    assert spread([2.5]) == (2.5, 2.5, 2.5)


def test_a_spread_is_saved_by_name_and_rounded() -> None:
    assert spread([1.0, 1.23456, 2.0]).rounded(2) == {"median": 1.23, "low": 1.12, "high": 1.62}


def test_a_round_in_which_everything_is_slow_does_not_change_the_ratio() -> None:
    assert within_rounds([1.0, 10.0], [2.0, 20.0]) == [0.5, 0.5]


def test_rounds_missing_on_one_side_are_an_error() -> None:
    with pytest.raises(ValueError, match="longer"):
        within_rounds([1.0], [1.0, 2.0])


def test_twice_and_half_as_long_cancel_in_the_geometric_mean() -> None:
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)

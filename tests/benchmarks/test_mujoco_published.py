"""Published returns are found at the nearest step, and not where there is none near."""

from __future__ import annotations

import pytest

from benchmarks.learning.mujoco_published import RETURNS, at

pytestmark = pytest.mark.numpy_alone("is a table")


def test_the_published_return_at_the_nearest_step_is_found_and_none_far_away() -> None:
    assert at("SAC", "HalfCheetah-v5", 100_000) == RETURNS["SAC", "HalfCheetah-v5"][1]
    assert at("PPO", "HalfCheetah-v5", 300_000) == (307_200, 3927.3, 996.3)
    assert at("SAC", "HalfCheetah-v5", 75_000) is None
    assert at("DDPG", "HalfCheetah-v5", 100_000) is None


def test_published_returns_are_in_the_order_of_their_steps() -> None:
    for found in RETURNS.values():
        assert [one.steps for one in found] == sorted({one.steps for one in found})

"""Rollouts of the examples with discrete actions: resets that are no steps, and episodes that go on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clock_environment import Clock
from gymnasium.vector import SyncVectorEnv

from examples.discrete.rollouts import Environments

pytestmark = pytest.mark.numpy_alone("plays environments, which know no networks")


def clocks() -> Environments:
    return Environments(SyncVectorEnv([Clock, Clock]), seed=0)


def choose(observations: Any) -> Any:
    """Return actions that identify their observations."""
    return np.repeat(observations @ np.float32([[0.2], [0.1]]), 2, axis=-1)


def test_a_rollout_marks_the_steps_that_only_begin_an_episode() -> None:
    played = clocks().play(choose, 12)
    np.testing.assert_array_equal(played.played, np.repeat([[1, 1, 1, 0] * 3], 2, axis=0).T)
    np.testing.assert_array_equal(played.ended, np.repeat([[0, 0, 1, 0] * 3], 2, axis=0).T)
    np.testing.assert_array_equal(played.terminated.nonzero()[0], [2, 2, 10, 10])
    real = played.played
    np.testing.assert_array_equal(played.next_observations[real], played.observations[real] + [0, 1])
    np.testing.assert_array_equal(played.observations[..., 1][:, 0], [0, 1, 2, 3] * 3)


def test_a_rollout_has_the_actions_for_its_observations_and_their_rewards() -> None:
    played = clocks().play(choose, 8)
    np.testing.assert_array_equal(played.actions[..., 0], choose(played.observations)[..., 0])
    np.testing.assert_array_equal(played.rewards, played.actions[..., 1] * played.played)


def test_an_unfinished_episode_continues_in_the_next_rollout() -> None:
    environments, whole = clocks(), clocks().play(choose, 8)
    parts = [environments.play(choose, steps) for steps in (2, 1, 1, 4)]
    environments.close()
    for name, column in whole._asdict().items():
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, column, err_msg=name)

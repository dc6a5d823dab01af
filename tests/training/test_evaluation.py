"""Evaluations meet the same episodes each time, count each until its end, and draw one as a picture that moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import toy_environments
from PIL import Image

from npnets import training
from npnets.training.evaluation import FIRST_SEED

pytestmark = pytest.mark.numpy_alone("an environment has NumPy's arrays")

toy_environments.register()


class Pushing:
    """A policy that pushes with a constant force; its state counts its steps."""

    def __init__(self, force: float) -> None:
        self.force = force
        self.states: list[Any] = []

    def step(self, obs: Any, state: Any = None) -> tuple[Any, Any]:
        self.states.append(state)
        return np.full((len(obs), 1), self.force, np.float32), 1 if state is None else state + 1


def played_alone(force: float, seed: int) -> float:
    env, earned, ended = training.make_env("toy/Line-v0"), 0.0, False
    env.reset(seed=seed)
    while not ended:
        _, reward, terminated, truncated, _ = env.step(np.array([force], np.float32))
        earned, ended = earned + reward, terminated or truncated
    return earned


@pytest.mark.parametrize("force", [0.0, 2.0])
def test_the_returns_are_those_of_episodes_played_one_by_one(force: float) -> None:
    evaluation = training.Evaluation("toy/Line-v0", 3)
    alone = [played_alone(force, FIRST_SEED + index) for index in range(3)]
    np.testing.assert_allclose(evaluation.returns(Pushing(force)), alone, rtol=1e-12)
    evaluation.close()


def test_every_evaluation_meets_the_same_episodes() -> None:
    evaluation = training.Evaluation("toy/Line-v0", 4)
    first = evaluation.returns(Pushing(0.5))
    evaluation.returns(Pushing(-1.0))
    np.testing.assert_array_equal(evaluation.returns(Pushing(0.5)), first)
    assert len(set(first)) == 4


def test_a_policy_with_a_memory_gets_its_state_back_and_begins_each_evaluation_without_one() -> None:
    policy, evaluation = Pushing(0.0), training.Evaluation("toy/Line-v0", 2)
    evaluation.returns(policy)
    evaluation.returns(policy)
    assert policy.states == [None, *range(1, 20)] * 2


def test_a_policy_that_has_diverged_is_an_error() -> None:
    with pytest.raises(ValueError, match="the policy returned NaN or infinite actions: its training has diverged"):
        training.Evaluation("toy/Line-v0", 2).returns(Pushing(np.nan))


def test_a_recorded_episode_moves_and_shows_what_the_environment_draws(tmp_path: Path) -> None:
    count = training.record_episode(Pushing(2.0), "toy/Line-v0", tmp_path / "episode.gif")
    columns = []
    with Image.open(tmp_path / "episode.gif") as picture:
        frames = getattr(picture, "n_frames", 1)
        assert 5 < frames <= count  # equal ones in a row are one that stays longer
        milliseconds = 0
        for frame in range(frames):
            picture.seek(frame)
            milliseconds += picture.info["duration"]
            columns.append(int(np.asarray(picture.convert("L"))[0].argmax()))
    assert milliseconds == 100 * count  # ten pictures a second
    assert columns == sorted(columns)
    assert columns[-1] > columns[0]


def test_a_policy_with_a_memory_keeps_it_through_a_recorded_episode(tmp_path: Path) -> None:
    policy = Pushing(0.0)
    count = training.record_episode(policy, "toy/Line-v0", tmp_path / "episode.gif")
    assert policy.states == [None, *range(1, count - 1)]


def test_a_long_episode_is_shown_in_fewer_pictures_and_in_its_own_time(tmp_path: Path) -> None:
    gymnasium.register("toy/Long-v0", toy_environments.Forgiving, max_episode_steps=700)
    count = training.record_episode(Pushing(0.004), "toy/Long-v0", tmp_path / "episode.gif")
    assert count == 176  # every fourth of 701
    with Image.open(tmp_path / "episode.gif") as picture:
        milliseconds = 0
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            milliseconds += picture.info["duration"]
    assert milliseconds == 176 * 400


def test_an_environment_that_cannot_draw_is_an_error_of_one_line_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="^toy/Unrendered-v0 cannot be rendered here: no display at all$"):
        training.record_episode(Pushing(0.0), "toy/Unrendered-v0", tmp_path / "episode.gif")
    assert not list(tmp_path.iterdir())

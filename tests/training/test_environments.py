"""An environment that an algorithm cannot learn in is an error before or where it goes wrong, in one line."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import toy_environments
from gymnasium import spaces

from npnets import training
from npnets.training import environments

pytestmark = pytest.mark.numpy_alone("an environment has NumPy's arrays")

toy_environments.register()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy/DiscreteActions-v0", "whose actions are a Box, but those of toy/DiscreteActions-v0 are a Discrete"),
        (
            "toy/DictObservations-v0",
            "observations are a Box, but those of toy/DictObservations-v0 are a Dict; gymnasium",
        ),
        (
            "toy/InfiniteBounds-v0",
            "finite bounds of the actions, but those of toy/InfiniteBounds-v0 are from -1.0 to inf",
        ),
        (
            "toy/IntegerActions-v0",
            "expected actions of floating-point numbers, but those of toy/IntegerActions-v0 are int64; a wrapper",
        ),
        (
            "toy/SingleNumber-v0",
            "actions with an axis and an entry, but those of toy/SingleNumber-v0 have shapes (2,) and (); a wrapper",
        ),
        ("toy/Absent-v0", "cannot make the environment 'toy/Absent-v0': "),
        ("no_such_module:Absent-v0", "cannot make the environment 'no_such_module:Absent-v0': "),
    ],
)
def test_an_environment_that_does_not_fit_is_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        training.make_env(name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_remedies_for_a_dict_and_for_infinite_bounds_work() -> None:
    flat = gymnasium.wrappers.FlattenObservation(toy_environments.DictObservations())
    environments.check_spaces("flat", flat.observation_space, flat.action_space)
    bounded: Any = gymnasium.wrappers.RescaleAction(
        toy_environments.Line(), np.array([-1], np.float32), np.array([1], np.float32)
    )
    environments.check_spaces("bounded", bounded.observation_space, bounded.action_space)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy/NanReward-v0", "toy/NanReward-v0 returned a reward of nan"),
        (
            "toy/InfiniteObservation-v0",
            "toy/InfiniteObservation-v0 returned an observation with NaN or infinite entries",
        ),
    ],
)
def test_a_number_that_is_not_finite_is_an_error_in_the_step_that_returns_it(name: str, message: str) -> None:
    env = training.make_env(name)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        for _ in range(3):
            env.step(np.zeros(1, np.float32))


def test_an_action_that_is_not_finite_is_named_as_the_cause_of_what_follows_from_it() -> None:
    env = training.make_env("toy/Forgiving-v0")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="^the policy took NaN or infinite actions in toy/Forgiving-v0: its training"):
        env.step(np.full(1, np.nan, np.float32))


def test_an_observation_stays_as_it_is_where_the_environment_writes_all_into_one_array() -> None:
    env, other = training.make_env("toy/Reusing-v0"), training.make_env("toy/Line-v0")
    found, expected = ([env.reset(seed=0)[0], env.step(np.ones(1, np.float32))[0]] for env in (env, other))
    env.step(np.ones(1, np.float32))
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found[0], found[1])


def test_an_environment_without_a_time_limit_has_one_and_another_keeps_its_own() -> None:
    assert training.make_env("toy/Endless-v0").get_wrapper_attr("_max_episode_steps") == environments.LONGEST_EPISODE
    assert training.make_env("toy/Line-v0").get_wrapper_attr("_max_episode_steps") == 20


def test_an_episode_begins_with_a_seed_that_the_generator_draws() -> None:
    env, expected = training.make_env("toy/Line-v0"), training.make_env("toy/Line-v0")
    first = training.reset(env, np.random.default_rng(3))
    seed = int(np.random.default_rng(3).integers(2**31))
    np.testing.assert_array_equal(first, expected.reset(seed=seed)[0])
    assert not np.array_equal(first, training.reset(env, np.random.default_rng(4)))


def test_what_environments_say_beside_their_steps_need_not_have_one_form_where_they_step_together() -> None:
    envs = training.make_envs("toy/Talkative-v0", 4)
    training.reset(envs, np.random.default_rng(0))
    assert all(envs.step(np.zeros((4, 1), np.float32))[-1] == {} for _ in range(5))
    alone = training.make_env("toy/Talkative-v0")
    alone.reset(seed=0)
    assert alone.step(np.zeros(1, np.float32))[-1].keys() == {"contacts", "contact"}


def test_every_episode_of_environments_that_step_together_follows_from_the_seed_of_the_first() -> None:
    runs = []
    for seed in (0, 0, 1):
        envs = training.make_envs("toy/Forgetful-v0", 2)
        seen = [training.reset(envs, np.random.default_rng(seed))]
        seen += [envs.step(np.zeros((2, 1), np.float32))[0] for _ in range(50)]
        runs.append(np.stack(seen))
    np.testing.assert_array_equal(runs[0], runs[1])
    begun = runs[0][[0, 21, 42]].reshape(6, 2)  # each episode has 20 steps, and one more resets
    assert len(np.unique(begun, axis=0)) == 6
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("number", [0, -1, 1.5])
def test_no_environments_are_an_error(number: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="number must be"):
        training.make_envs("toy/Line-v0", number)


def test_environments_that_step_together_are_checked_each() -> None:
    envs = training.make_envs("toy/NanReward-v0", 2)
    training.reset(envs, np.random.default_rng(0))
    with pytest.raises(ValueError, match="a reward of nan"):
        for _ in range(3):
            envs.step(np.zeros((2, 1), np.float32))


def test_a_space_of_another_kind_is_named() -> None:
    box = spaces.Box(-1, 1, (2,))
    with pytest.raises(ValueError, match="actions are a Box, but those of mine are a MultiBinary$"):
        environments.check_spaces("mine", box, spaces.MultiBinary(2))

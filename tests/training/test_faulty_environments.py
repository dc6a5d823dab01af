"""An environment that fails, or returns what it did not declare, is an error that names both in one line."""

from __future__ import annotations

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
import toy_environments
from gymnasium import spaces
from logged_lines import lines_of
from toy_environments import Line

from npnets import training
from npnets.training.checked_environment import checked
from npnets.training.environments import check_spaces

pytestmark = pytest.mark.numpy_alone("an environment has NumPy's arrays")

toy_environments.register()
PLACE = np.zeros(2, np.float32)


class Scripted(Line):
    """An environment that returns what it is given."""

    def __init__(self, reset: Any = (PLACE, {}), step: Any = (PLACE, 0.0, False, False, {})) -> None:
        super().__init__()
        self.returned = reset, step

    def reset(self, **options: Any) -> Any:
        """Return, or raise, what was given."""
        return outcome(self.returned[0])

    def step(self, action: Any) -> Any:
        """Return, or raise, what was given."""
        return outcome(self.returned[1])


def outcome(given: Any) -> Any:
    if isinstance(given, Exception):
        raise given
    return given


def one_step(env: Scripted, force: float = 0.0) -> str:
    """Return the error of a first step."""
    with pytest.raises((ValueError, RuntimeError)) as error:
        found = checked(env, "Mine-v0")
        found.reset(seed=0)
        found.step(np.array([force], np.float32))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ((PLACE, np.ones(1), False, False, {}), r"expected a number as the reward of Mine-v0, but got array\(\[1.\]\)"),
        ((PLACE, None, False, False, {}), "expected a number as the reward of Mine-v0, but got None"),
        ((PLACE, -np.inf, False, False, {}), "Mine-v0 returned a reward of -inf"),
        (
            (np.zeros(3), 0.0, False, False, {}),
            r"of shape \(2,\), as its observation_space says, but got float64 \(3,\)",
        ),
        (
            (np.array(["a", "b"]), 0.0, False, False, {}),
            r"as arrays of float32 of shape \(2,\), as its observation_space says, but got <U1 \(2,\)",
        ),
        (([0.0, 0.0], 0.0, False, False, {}), "but got list"),
        ((PLACE, 0.0, None, False, {}), "expected True or False as terminated and truncated of Mine-v0, but got None"),
        (
            (PLACE, 0.0, False, {}),
            r"Mine-v0 failed in step.*ValueError: not enough values to unpack.*does step\(\) return five values: obs",
        ),
        (
            ValueError("too many values to unpack (expected 2)"),
            r"Mine-v0 failed in step\(\): ValueError: too many values to unpack \(expected 2\) .*; mend it",
        ),
        (KeyError("a\nb"), r"Mine-v0 failed in step\(\): KeyError: .* \(test_faulty_environments.py, line \d+\); mend"),
    ],
)
def test_a_faulty_step_is_an_error_that_says_what_it_returned_or_where_it_failed(step: Any, message: str) -> None:
    assert re.search(message, one_step(Scripted(step=step)))


def test_observations_that_a_batch_in_the_dtype_of_the_space_would_not_take_are_an_error_of_one_line() -> None:
    env = Scripted(step=(PLACE, 0.0, False, False, {}), reset=(np.zeros(2, np.uint8), {}))
    env.observation_space = spaces.Box(0, 255, (2,), np.uint8)
    assert "as arrays of uint8 of shape (2,), as its observation_space says, but got float32 (2,)" in one_step(env)


@pytest.mark.parametrize(
    ("reset", "message"),
    [
        (PLACE, "expected an observation and a dict from reset() of Mine-v0, but got a ndarray; is it an environment"),
        (AssertionError(), "Mine-v0 failed in reset(): AssertionError (test_faulty_environments.py, line"),
    ],
)
def test_a_faulty_reset_is_an_error_too(reset: Any, message: str) -> None:
    assert message in one_step(Scripted(reset=reset))


def test_an_environment_that_cannot_be_closed_is_a_warning_of_one_line(caplog: pytest.LogCaptureFixture) -> None:
    class Unclosed(Line):
        """An environment whose window was never opened."""

        window: Any = None

        def close(self) -> None:
            self.window.close()

    checked(Unclosed(), "Mine-v0").close()
    (line,) = lines_of(caplog)
    assert line.startswith(
        "Mine-v0 failed in close(): AttributeError: 'NoneType' object has no attribute 'close' (test_"
    )


def test_an_action_that_is_not_finite_is_called_a_training_that_has_diverged() -> None:
    assert "the policy took NaN or infinite actions in Mine-v0: its training has diverged" in one_step(
        Scripted(), np.nan
    )


def test_an_action_in_float32_never_exceeds_a_bound_in_float64() -> None:
    class Narrow(Line):
        action_space = spaces.Box(-0.1, 0.1, (1,), np.float64)

    assert float(np.float32(0.1)) > 0.1
    env = checked(Narrow(), "Mine-v0")
    env.reset(seed=0)
    env.step(np.array([0.1], np.float32))  # the environment asserts that its space contains it


@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_actions_have_the_dtype_of_their_space_and_lie_within_its_bounds(dtype: Any, given: Any) -> None:
    taken = []

    class Strict(Line):
        """An environment that takes actions of its space alone."""

        action_space = spaces.Box(-0.1, 0.3, (1,), dtype)

        def step(self, action: Any) -> Any:
            taken.append(action)
            return super().step(action)

    env = checked(Strict(), "Mine-v0")
    env.reset(seed=0)
    for force in (-0.1, 0.09986521, 0.3):
        env.step(np.array([force], given))
    assert {action.dtype for action in taken} == {np.dtype(dtype)}
    np.testing.assert_allclose(np.concatenate(taken), [-0.1, 0.09986521, 0.3], rtol=1e-3)


@pytest.mark.parametrize("value", [np.float32(1), 1, True, np.float64(-2.5), np.array(3.0)])
def test_rewards_of_every_type_of_number_and_flags_of_numpy_are_fine(value: Any) -> None:
    env = checked(Scripted(step=(PLACE, value, np.True_, np.False_, {})), "Mine-v0")
    assert env.step(np.zeros(1))[1:4] == (value, np.True_, np.False_)


@pytest.mark.parametrize(
    ("observations", "actions", "message"),
    [
        (spaces.Box(-1, 1, ()), Line.action_space, "with an axis and an entry, but those of Mine-v0 have shapes .."),
        (
            Line.observation_space,
            spaces.Box(-1, 1, (0,)),
            "with an axis and an entry, but those of Mine-v0 have shapes",
        ),
        (Line.observation_space, spaces.Box(0, 9, (1,), np.int64), "expected actions of floating-point numbers"),
        (Line.observation_space, spaces.Box(-3e38, 3e38, (1,)), "finite bounds .* whose difference overflows"),
        (Line.observation_space, spaces.Box(1, 1, (1,)), "the lower bound of each entry of an action below the upper"),
    ],
)
def test_boxes_in_which_no_algorithm_can_act_are_refused(observations: Any, actions: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_spaces("Mine-v0", observations, actions)


def test_an_environment_without_spaces_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = gymnasium.envs.registration.EnvSpec("toy/Spaceless-v0", gymnasium.Env, max_episode_steps=5)
    monkeypatch.setitem(gymnasium.registry, "toy/Spaceless-v0", spec)
    with pytest.raises(ValueError, match="^toy/Spaceless-v0 needs an observation_space and an action_space; set both"):
        training.make_env("toy/Spaceless-v0")


def test_an_environment_in_a_module_that_is_not_found_says_where_python_looks() -> None:
    with pytest.raises(ValueError, match="No module named 'my_package'.* and in the folders of PYTHONPATH$"):
        training.make_env("my_package:Mine-v0")


def test_an_environment_needs_no_option_for_pictures_and_a_constructor_that_fails_is_named(monkeypatch: Any) -> None:
    def failing() -> Any:
        raise OSError("no such model")

    for name, make in (("toy/Optionless-v0", Scripted), ("toy/Failing-v0", failing)):
        spec = gymnasium.envs.registration.EnvSpec(name, make, max_episode_steps=5)
        monkeypatch.setitem(gymnasium.registry, name, spec)
    assert training.make_env("toy/Optionless-v0").reset()[1] == {}
    with pytest.raises(
        RuntimeError, match=r"^toy/Failing-v0 failed in its constructor: OSError: no such model \(test_"
    ):
        training.make_env("toy/Failing-v0")

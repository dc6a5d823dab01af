"""What the student of the recurrent imitation does and learns from: drawn actions, batches, and the seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import toy_environments
from backends import as_numpy, bits, device, on_backend

from examples.memory.recurrent_imitation import Settings, State, Student, empty_buffer, train
from examples.shared.unsaved_run import UnsavedRun
from npnets import training

toy_environments.register()
SMALL: dict[str, Any] = {"hide": (1,), "hidden_layer_size": 6, "steps": 2, "episodes_per_round": 3, "batch_size": 4}


class Still:
    """A teacher that does nothing."""

    def step(self, obs: Any, state: None = None) -> Any:
        return np.zeros((len(obs), 1)), None


def trained(**changes: Any) -> State:
    """Return the state after two learning steps on Pendulum-v1 without its velocity."""
    run = UnsavedRun(Settings(**{**SMALL, "hide": (2,), "device": device(), **changes}))
    train(run.settings, run)  # type: ignore[arg-type]
    assert run.kept is not None
    state: State = run.kept[0]
    return state


def test_the_student_draws_its_actions_in_the_environment_and_they_are_clipped_to_the_bounds() -> None:
    chosen = Settings(**{**SMALL, "env": "toy/Line-v0", "device": device()})
    envs, taken = training.make_envs("toy/Line-v0", 3), []
    student = Student(chosen, envs.single_observation_space, envs.single_action_space)
    begun = student.init(np.random.default_rng(0))
    params: Any = {**begun.params, "log_sigma": on_backend(np.log(np.float32([1.5])))}
    step = envs.step

    def recording(actions: Any) -> Any:
        taken.append(np.array(actions))
        return step(actions)

    envs.step = recording
    obs = training.reset(envs, np.random.default_rng(1))[:, :1]
    student.play(begun._replace(params=params), envs, Still(), empty_buffer(chosen), np.random.default_rng(1))
    rng = np.random.default_rng(1)
    rng.integers(2**31)  # the seed of the episodes
    (mu, _), _ = student.actor.forward(params, on_backend(obs))
    draws = as_numpy(mu) + 1.5 * rng.standard_normal((3, 1))
    np.testing.assert_allclose(taken[0], np.clip(draws, -1, 2), rtol=1e-4, atol=1e-5)
    assert (np.concatenate(taken) == 2).any() and (np.concatenate(taken) == -1).any()


def test_one_seed_and_size_of_batches_give_the_same_training_twice_and_others_another() -> None:
    first, again = trained(), trained()
    assert bits(first) == bits(again)
    for change in ({"seed": 1}, {"batch_size": 5}):
        assert bits(trained(**change)) != bits(first)

"""The example that needs a memory: its hidden velocity, its teacher, its loss, its output and its errors."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import as_numpy, assert_allclose, device, on_backend
from example_runs import run_here
from interruption import interrupted_once

from examples.memory.imitation import FEED_FORWARD, RECURRENT, Hyperparameters, LabelledEpisodes, Student, make_actors
from examples.memory.imitation import negative_log_likelihood as loss_of
from examples.shared.hidden_velocity import HiddenVelocity, play
from examples.shared.pendulum_evaluation import evaluate
from examples.shared.swing_up_teacher import teacher_policy, teacher_torque
from npnets import tree

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "memory" / "memory_pendulum.py"

another_process = pytest.mark.numpy_alone("runs in a process of its own, with its default device")
no_network = pytest.mark.numpy_alone("is about the environment and the teacher, which know no networks")

SMALL = Hyperparameters(hidden_layer_size=12, hidden_sizes=(20, 20), learning_rate=0.02)
NAMES = (RECURRENT, FEED_FORWARD)


def student(name: str, settings: Hyperparameters = SMALL) -> Student:
    return Student(make_actors(settings, 2, device())[name], settings)


# -- the task and its teacher -----------------------------------------------------------------------------------------


@no_network
def test_the_wrapper_shows_the_angle_and_hides_the_velocity() -> None:
    whole, hidden = gymnasium.make("Pendulum-v1"), HiddenVelocity(gymnasium.make("Pendulum-v1"))
    seen = [env.reset(seed=3)[0] for env in (whole, hidden)]
    for torque in np.linspace(-2, 2, 20, dtype=np.float32):
        np.testing.assert_array_equal(seen[1], seen[0][:2])
        assert seen[1] in hidden.observation_space
        seen = [env.step(torque[None])[0] for env in (whole, hidden)]
    hidden.unwrapped.state = np.array([0.7, 5.0])
    fast = hidden.observation(hidden.unwrapped._get_obs())
    hidden.unwrapped.state = np.array([0.7, -5.0])
    np.testing.assert_array_equal(hidden.observation(hidden.unwrapped._get_obs()), fast)


@no_network
def test_the_wrapper_refuses_another_environment_with_what_it_shows() -> None:
    with pytest.raises(ValueError, match="expected Pendulum-v1.*got Box"):
        HiddenVelocity(gymnasium.make("MountainCarContinuous-v0"))


@no_network
def test_episodes_are_what_the_other_evaluation_sees_and_hold_the_angle_that_was_shown() -> None:
    episodes = play(teacher_policy, 3, seed=5)
    np.testing.assert_allclose(episodes.returns, evaluate(teacher_policy, 3, seed=5), rtol=1e-12)
    shown = np.stack([np.cos(episodes.angle), np.sin(episodes.angle), episodes.velocity], axis=-1)
    np.testing.assert_allclose(episodes.observations, shown, atol=1e-6)
    np.testing.assert_array_equal(episodes.episode(2).torque, episodes.torque[2])
    blind = play(lambda seen: np.zeros((len(seen), 1)), 3, seed=5, wrappers=(HiddenVelocity,))
    assert blind.observations.shape == (3, 200, 2)
    np.testing.assert_array_equal(blind.observations[:, 0], episodes.observations[:, 0, :2])


@no_network
def test_the_teacher_swings_up_and_holds_the_pendulum_from_every_start() -> None:
    episodes = play(teacher_policy, 40, seed=0)
    assert np.abs(episodes.angle[:, 0]).max() > 3  # one of them hangs down
    assert np.abs(episodes.angle[:, 150:]).max() < 0.05
    assert episodes.returns.mean() > -200


@no_network
def test_the_teachers_torque_is_the_one_computed_by_hand() -> None:
    assert teacher_torque(0.1, -0.2) == pytest.approx(-10 * 0.1 - 3 * -0.2)
    assert teacher_torque(np.pi, 0.0) == 2  # hanging at rest it must start somehow
    np.testing.assert_array_equal(teacher_torque([2.0, 2.0, 2.0], [1.0, -1.0, 7.9]), [2, -2, -2])


# -- the students -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_of_whole_episodes_is_that_of_stepping_through_them(name: str) -> None:
    learner, rng = student(name), np.random.default_rng(0)
    params = learner.init(rng).params
    params["log_sigma"] = on_backend(np.array([-0.4], np.float32))
    observations = rng.normal(size=(5, 9, 2)).astype(np.float32)
    torques = rng.uniform(-2, 2, (5, 9)).astype(np.float32)
    losses, memory = [], None
    for t in range(9):
        (mu, sigma), memory = learner.actor.forward(params, on_backend(observations[:, t]), memory)
        mu, sigma = as_numpy(mu)[:, 0], as_numpy(sigma)[:, 0]
        density = np.exp(-(((torques[:, t] - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        losses.append(-np.log(density))
    found = loss_of(params, learner.actor, on_backend(observations), on_backend(torques))
    assert_allclose(found, np.mean(losses), rtol=1e-5)


def test_the_students_have_about_as_many_parameters_as_the_settings_say() -> None:
    settings = Hyperparameters()
    count = {
        name: sum(leaf.size for leaf in tree.leaves(student(name, settings).init(np.random.default_rng(0)).params))
        for name in NAMES
    }
    assert count == {RECURRENT: 17_474, FEED_FORWARD: 17_026}


def test_only_the_recurrent_student_learns_what_was_seen_one_step_before() -> None:
    rng = np.random.default_rng(1)
    observations = rng.uniform(-1, 1, (16, 10, 2)).astype(np.float32)
    torques = np.concatenate([np.zeros((16, 1)), observations[:, :-1, 0]], axis=1).astype(np.float32)
    last = {}
    for name in NAMES:
        learner = student(name)
        state = learner.init(np.random.default_rng(2))
        for _ in range(150):
            state, loss = learner.learn(state, observations, torques)
        last[name] = float(loss)
    assert last[RECURRENT] < last[FEED_FORWARD] - 0.5


def test_a_policy_remembers_within_its_episodes_and_nothing_of_those_before() -> None:
    seen = np.array([[0.6, 0.8]], np.float32)
    for name in NAMES:
        learner = student(name)
        params = learner.init(np.random.default_rng(0)).params
        policy = learner.policy(params)
        first, second = policy(seen), policy(seen)
        assert np.array_equal(first, second) is (name == FEED_FORWARD)
        np.testing.assert_array_equal(learner.policy(params)(seen), first)


def test_a_policy_with_a_generator_draws_around_the_mean() -> None:
    learner = student(FEED_FORWARD)
    params = learner.init(np.random.default_rng(0)).params
    params["log_sigma"] = on_backend(np.array([-1.0], np.float32))
    seen = np.tile(np.array([[0.6, 0.8]], np.float32), (4000, 1))
    drawn, mean = learner.policy(params, np.random.default_rng(3))(seen), learner.policy(params)(seen)
    assert drawn.std() == pytest.approx(np.exp(-1), rel=0.05)
    assert drawn.mean() == pytest.approx(mean.mean(), abs=0.03)


@no_network
def test_labelled_episodes_store_each_episode_with_its_own_torques() -> None:
    data = LabelledEpisodes()
    for first in (0, 3):
        observations = np.arange(first, first + 3, dtype=np.float32)[:, None, None] * np.ones((1, 4, 2), np.float32)
        data.add(observations, -observations[..., 0])
    observations, torques = data.batch(np.random.default_rng(0), 60)
    assert (observations.shape, torques.shape) == ((60, 4, 2), (60, 4))
    np.testing.assert_array_equal(torques, -observations[..., 0])
    assert set(observations[:, 0, 0]) == set(range(6))


# -- output and errors ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def on_the_cpu(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the result of a short run in a separate process, and its output folder."""
    out = tmp_path_factory.mktemp("memory_pendulum")
    command = [sys.executable, EXAMPLE, "--steps", "2", "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True), out


@pytest.mark.slow
@another_process
def test_a_short_run_prints_the_table_and_writes_policies_results_and_picture(on_the_cpu: Any) -> None:
    finished, out = on_the_cpu
    assert finished.returncode == 0, finished.stderr
    scores = json.loads((out / "results.json").read_text())["results"]["returns"]
    for row in ("teacher", RECURRENT, FEED_FORWARD):
        assert f"{row:<24}{scores[row]['mean']:>9.1f}{scores[row]['standard_error']:>12.1f}{30:>10}" in finished.stdout
    assert scores["teacher"]["mean"] == pytest.approx(-154.8, abs=0.1)
    assert (out / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert np.load(out / "recurrent.npz")["lstm.layer_0.weight_ih"].shape == (2, 256)
    assert np.load(out / "feed-forward.npz")["preprocess.model.linear_0.weight"].shape == (2, 128)
    expected = {"recurrent.npz", "feed-forward.npz", "results.json", "learning.png"}
    assert {path.name for path in out.iterdir()} == expected


@pytest.fixture
def learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the example in this process, on the running test's device, and reads its output."""
    example = importlib.import_module("examples.memory.memory_pendulum")
    monkeypatch.setattr(example, "EPISODES", 5)
    monkeypatch.setattr(example, "CHECKPOINTS", 1)

    def learn(name: str, *options: Any) -> dict[str, Any]:
        out = tmp_path / name
        run = run_here("memory.memory_pendulum", "--steps", 2, "--device", device(), "--out", out, *options)
        assert run.returncode == 0, run.stderr
        assert json.loads((out / "results.json").read_text())["results"]["steps"] == 2
        return {f"{part}.{key}": value for part in NAMES for key, value in np.load(out / f"{part}.npz").items()}

    return learn


@pytest.mark.slow
@pytest.mark.numpy_alone("the test below compares training on another device with the CPU")
def test_equal_seeds_give_equal_policies_and_different_seeds_different_ones(learned: Any) -> None:
    first, again, other = learned("a"), learned("b"), learned("c", "--seed", 1)
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
        assert not np.array_equal(values, other[name]), name


@pytest.mark.slow
def test_with_the_velocity_shown_both_students_see_three_numbers(learned: Any) -> None:
    shown = learned("shown", "--show-velocity")
    assert shown["recurrent.lstm.layer_0.weight_ih"].shape == (3, 256)
    assert shown["feed-forward.preprocess.model.linear_0.weight"].shape == (3, 128)


@pytest.mark.slow
def test_policies_learned_on_any_device_equal_those_of_a_separate_process_on_the_cpu(
    learned: Any, on_the_cpu: Any
) -> None:
    for name, values in learned("here").items():
        student_name, _, key = name.partition(".")
        expected = np.load(on_the_cpu[1] / f"{student_name}.npz")[key]
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-5, err_msg=name)


@pytest.mark.slow
@another_process
def test_ctrl_c_saves_the_policies_at_that_point(tmp_path: Path) -> None:
    shown = b"recurrent="  # the progress bar shows losses: learning has begun
    status, errors = interrupted_once(shown, EXAMPLE, "--steps", "1000000", "--out", str(tmp_path))
    assert status == 130
    assert b"saving the current state" in errors
    assert "mu.weight" in np.load(tmp_path / "recurrent.npz")
    assert 0 < json.loads((tmp_path / "results.json").read_text())["results"]["steps"] < 1000000


@pytest.mark.numpy_alone("is refused before a network is made")
@pytest.mark.parametrize(
    ("options", "telling"),
    [
        (("--steps", "0"), "--steps: must be at least 1, but is 0"),
        (("--steps", "many"), "--steps: must be a whole number, but is 'many'"),
        (("--seed", "-1"), "--seed: must not be negative, but is -1"),
        (("--device", "tpu"), "device must be 'cpu'"),
        (("--out", str(EXAMPLE)), "memory_pendulum.py"),
    ],
)
def test_a_wrong_option_is_an_error_in_the_users_words(options: Any, telling: str, tmp_path: Path) -> None:
    finished = run_here("memory.memory_pendulum", "--out", tmp_path / "out", *options)
    assert finished.returncode == 2
    assert telling in finished.stderr.splitlines()[-1]

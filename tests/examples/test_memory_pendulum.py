"""The comparison of a policy with a memory and one without: its two students, its output and its errors."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import device
from example_runs import run_here
from interruption import interrupted_once

from examples.memory.memory_pendulum import FEED_FORWARD, RECURRENT, acting, make_students
from examples.memory.recurrent_imitation import TUNED, Settings, Student, swing_up
from examples.memory.recurrent_imitation import Episodes as Batch
from examples.shared.pendulum_episodes import play
from examples.shared.pendulum_evaluation import evaluate
from npnets import tree

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "memory" / "memory_pendulum.py"

another_process = pytest.mark.numpy_alone("runs in a process of its own, with its default device")
no_network = pytest.mark.numpy_alone("is about the environment and the teacher, which know no networks")

NAMES = (RECURRENT, FEED_FORWARD)
SMALL = {"hidden_layer_size": 12, "learning_rate": 0.02}


def students() -> dict[str, Student]:
    return make_students(Settings(**{**TUNED["Pendulum-v1"], **SMALL, "device": device()}))


@no_network
def test_episodes_are_what_the_other_evaluation_sees_and_hold_the_angle_that_was_shown() -> None:
    episodes = play(swing_up, 3, seed=5)
    np.testing.assert_allclose(episodes.returns, evaluate(swing_up, 3, seed=5), rtol=1e-12)
    shown = np.stack([np.cos(episodes.angle), np.sin(episodes.angle), episodes.velocity], axis=-1)
    np.testing.assert_allclose(episodes.observations, shown, atol=1e-6)
    np.testing.assert_array_equal(episodes.episode(2).torque, episodes.torque[2])
    blind = play(lambda seen: np.zeros((len(seen), 1)), 3, seed=5, wrappers=(Settings(hide=(2,)).wrap,))
    assert blind.observations.shape == (3, 200, 2)
    np.testing.assert_array_equal(blind.observations[:, 0], episodes.observations[:, 0, :2])


def test_the_students_have_about_as_many_parameters_as_the_settings_say() -> None:
    tuned = Settings(**{**TUNED["Pendulum-v1"], "device": device()})
    count = {
        name: sum(leaf.size for leaf in tree.leaves(student.init(np.random.default_rng(0)).params))
        for name, student in make_students(tuned).items()
    }
    assert count == {RECURRENT: 17_474, FEED_FORWARD: 17_026}


def test_the_loss_of_the_feed_forward_student_takes_each_step_alone() -> None:
    learner, rng = students()[FEED_FORWARD], np.random.default_rng(0)
    params: Any = learner.init(rng).params
    obs, action = rng.normal(size=(3, 5, 2)).astype(np.float32), rng.uniform(-2, 2, (3, 5, 1)).astype(np.float32)
    steps = [Batch(obs[:, t : t + 1], action[:, t : t + 1], np.ones(3, np.int64)) for t in range(5)]
    batches = [tree.to_device(one, device()) for one in (*steps, Batch(obs, action, np.full(3, 5)))]
    *alone, together = (float(learner.loss(params, batch)) for batch in batches)
    assert together == pytest.approx(np.mean(alone), rel=1e-5)


def test_only_the_recurrent_student_learns_what_was_seen_one_step_before() -> None:
    rng = np.random.default_rng(1)
    observations = rng.uniform(-1, 1, (16, 10, 2)).astype(np.float32)
    torques = np.concatenate([np.zeros((16, 1, 1)), observations[:, :-1, :1]], axis=1).astype(np.float32)
    last = {}
    for name, learner in students().items():
        state = learner.init(np.random.default_rng(2))
        for _ in range(150):
            state, found = learner.learn(state, Batch(observations, torques, np.full(16, 10)))
        last[name] = float(found["loss"])
    assert last[RECURRENT] < last[FEED_FORWARD] - 0.5


def test_a_policy_remembers_within_its_episodes_and_nothing_of_those_before() -> None:
    seen = np.array([[0.6, 0.8]], np.float32)
    for name, learner in students().items():
        state = learner.init(np.random.default_rng(0))
        policy = acting(learner, state)
        first, second = policy(seen), policy(seen)
        assert np.array_equal(first, second) is (name == FEED_FORWARD)
        np.testing.assert_array_equal(acting(learner, state)(seen), first)


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

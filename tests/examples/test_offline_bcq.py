"""The offline example: its output, its files after Ctrl-C, and its errors for wrong input."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import device, rounding
from example_runs import run_here
from interruption import interrupted_once

from examples.offline.bcq import BestOfSamples
from npnets import Policy, tree

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "offline" / "offline_bcq.py"
STEPS = 3


another_process = pytest.mark.numpy_alone("runs in a process of its own, with its default device")
no_network = pytest.mark.numpy_alone("is refused before a network is made")


@pytest.fixture(scope="session")
def on_the_cpu(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the result of a short run in a separate process, and its output folder."""
    out = tmp_path_factory.mktemp("offline_bcq")
    command = [sys.executable, EXAMPLE, "--steps", str(STEPS), "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True), out


@pytest.fixture
def learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the example here, on the running test's device, and returns its output folder."""
    example = importlib.import_module("examples.offline.offline_bcq")
    monkeypatch.setattr(example, "EPISODES", 2)
    monkeypatch.setattr(example, "CHECKPOINTS", 1)

    def learn(name: str, *options: Any) -> Path:
        out = tmp_path / name
        run = run_here("offline.offline_bcq", "--steps", STEPS, "--device", device(), "--out", out, *options)
        assert run.returncode == 0, run.stderr
        return out

    return learn


def weights_of(out: Path) -> dict[str, Any]:
    """Return the parameters of the saved policy by their paths."""
    params = Policy.load(out / "policy.npz", classes=[BestOfSamples]).params
    return dict(zip(tree.paths(params), tree.leaves(params), strict=True))


def transitions(n: int = 40, obs_dim: int = 3, act_dim: int = 1) -> Any:
    rng = np.random.default_rng(0)
    return {
        "observations": rng.normal(size=(n, obs_dim)).astype(np.float32),
        "actions": rng.uniform(-1, 1, (n, act_dim)).astype(np.float32),
        "rewards": rng.normal(size=n).astype(np.float32),
        "next_observations": rng.normal(size=(n, obs_dim)).astype(np.float32),
        "terminals": np.zeros(n, bool),
    }


def refusal(tmp_path: Path, **changes: Any) -> Any:
    """Return the error of the example for a file of changed transitions."""
    arrays = {key: value for key, value in {**transitions(), **changes}.items() if value is not None}
    np.savez(tmp_path / "data.npz", **arrays)
    finished = run_here("offline.offline_bcq", "--data", tmp_path / "data.npz", "--out", tmp_path / "out")
    assert finished.returncode == 2
    assert not (tmp_path / "out").exists()
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.slow
@another_process
def test_a_short_run_prints_the_table_and_writes_policy_results_and_picture(on_the_cpu: Any) -> None:
    finished, out = on_the_cpu
    assert finished.returncode == 0, finished.stderr
    for row in ("behaviour in the data", "behaviour cloning", "BCQ"):
        assert row in finished.stdout
    results = json.loads((out / "results.json").read_text())["results"]
    assert results["returns"]["behaviour in the data"]["mean"] == pytest.approx(-927, abs=1)
    assert results["steps"] == STEPS
    assert (out / "learning.png").read_bytes().startswith(b"\x89PNG")
    policy = Policy.load(out / "policy.npz", classes=[BestOfSamples])
    assert policy.params["critic"]["last"]["linear_0"]["weight"].shape == (1, 64, 1)
    assert {path.name for path in out.iterdir()} == {"policy.npz", "results.json", "learning.png"}


@pytest.mark.slow
@pytest.mark.numpy_alone("the test below compares training on another device with the CPU")
def test_equal_seeds_give_equal_policies_and_different_seeds_different_ones(learned: Any) -> None:
    first, again, other = (
        weights_of(learned(name, "--seed", seed))["vae.encoder.linear_0.weight"]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_a_policy_learned_on_any_device_equals_that_of_a_separate_process_on_the_cpu(
    learned: Any, on_the_cpu: Any
) -> None:
    out = learned("here")
    expected, found = weights_of(on_the_cpu[1]), weights_of(out)
    assert set(found) == set(expected)
    for name in expected:
        # Adam takes a step of full length for a gradient that is all rounding: on a real GPU such steps differ.
        tolerance = {"rtol": rounding(1e-4, 1e-2), "atol": rounding(1e-6, 1e-3)}
        np.testing.assert_allclose(found[name], expected[name], **tolerance, err_msg=name)
    assert json.loads((out / "results.json").read_text())["results"]["steps"] == STEPS


@pytest.mark.slow
@another_process
def test_ctrl_c_saves_the_policy_at_that_point(tmp_path: Path) -> None:
    shown = b"critics="  # the progress bar shows losses: learning has begun
    status, errors = interrupted_once(shown, EXAMPLE, "--steps", "1000000", "--out", str(tmp_path))
    assert status == 130
    assert b"saving the current state" in errors
    assert "vae.mean.bias" in weights_of(tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["results"]["steps"] < 1000000


@no_network
def test_the_error_for_transitions_of_another_environment_has_both_shapes(tmp_path: Path) -> None:
    said = refusal(tmp_path, **transitions(obs_dim=17))
    assert "observations of shape (17,)" in said and "shape (3,)" in said
    said = refusal(tmp_path, **transitions(act_dim=6))
    assert "actions of shape (6,)" in said and "shape (1,)" in said


@no_network
def test_the_error_for_actions_beyond_the_torque_limit_has_the_largest(tmp_path: Path) -> None:
    assert "to 3.5, but those of the environment are from -2 to 2" in refusal(
        tmp_path, actions=np.full((40, 1), 3.5, np.float32)
    )


@no_network
def test_the_error_for_a_missing_key_names_it(tmp_path: Path) -> None:
    assert "rewards" in refusal(tmp_path, rewards=None)


@no_network
def test_the_error_for_nan_in_the_data_has_its_place(tmp_path: Path) -> None:
    rewards = transitions()["rewards"]
    rewards[7] = np.nan
    said = refusal(tmp_path, rewards=rewards)
    assert "rewards" in said and "7" in said


@no_network
def test_the_error_for_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    finished = run_here("offline.offline_bcq", "--data", tmp_path / "nowhere.npz", "--out", tmp_path / "out")
    assert finished.returncode == 2 and "nowhere.npz" in finished.stderr and len(finished.stderr.splitlines()) == 1


@no_network
@pytest.mark.parametrize(
    ("options", "telling"),
    [
        (("--steps", "0"), "--steps: must be at least 1"),
        (("--seed", "-1"), "--seed: must not be negative"),
        (("--device", "tpu"), "device must be 'cpu'"),
    ],
)
def test_a_wrong_option_is_an_error_in_the_users_words(options: Any, telling: str, tmp_path: Path) -> None:
    finished = run_here("offline.offline_bcq", *options, "--out", tmp_path / "out")
    assert finished.returncode == 2
    assert telling in finished.stderr

"""The program of evolution strategies: its environments and options, and runs that continue."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import bits
from example_runs import run_here
from interruption import interrupted_once
from small_evolution import SMALL, Line, register, search

import npnets
from examples.parallel import episodes, evolution_strategies
from examples.parallel.evolution_strategies import EvolutionStrategies, Settings
from examples.parallel.progress import Progress
from npnets import checkpoint

pytestmark = pytest.mark.numpy_alone("Gymnasium's environments take and return NumPy's arrays")

PROGRAM = Path(evolution_strategies.__file__)
SMALL_OPTIONS = ("--pairs", "4", "--shard", "2", "--episodes", "1", "--workers", "2")


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Gymnasium make the environment."""
    register(monkeypatch)


# -- environments -----------------------------------------------------------------------------------------------------


class Lopsided(Line):
    action_space = gymnasium.spaces.Box(-1.0, 2.0, (1,), np.float32)


class Unbounded(Line):
    action_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Images(Line):
    observation_space = gymnasium.spaces.Box(0, 255, (8, 8), np.uint8)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        (Lopsided, "expected actions within [-bound, bound], but Other-v0 has Box(-1.0, 2.0, (1,), float32)"),
        (Unbounded, "expected actions within [-bound, bound], but Other-v0 has Box(-inf, inf, (1,), float32)"),
        (Images, "expected vectors as observations and actions, but Other-v0 has Box(0, 255, (8, 8), uint8)"),
        ("CartPole-v1", "expected vectors as observations and actions, but CartPole-v1 has"),
        ("Nowhere-v7", "expected an environment that Gymnasium can make, but got Nowhere-v7"),
    ],
)
def test_an_environment_in_which_no_policy_can_act_is_refused_in_one_line(
    env: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = env if isinstance(env, str) else "Other-v0"
    if name == "Other-v0":
        register(monkeypatch, name, env)
    finished = run_here("parallel.evolution_strategies", "--env", name, "--workers", 1, "--out", tmp_path)
    assert finished.returncode == 2
    assert words in finished.stderr.strip().splitlines()[-1]


def test_the_bound_of_an_action_is_that_of_the_environment() -> None:
    assert episodes.make_actor("Pendulum-v1", (4,)).max_action == (2.0,)


@pytest.mark.slow
@pytest.mark.needs_package("mujoco")
def test_mujoco_prints_no_line_for_each_environment(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where MuJoCo writes a log
    returns, moments = episodes.play("HalfCheetah-v5", lambda seen: np.zeros((len(seen), 6), np.float32), [0, 1])
    assert np.isfinite(returns).all() and moments[2] == 2000
    assert capfd.readouterr() == ("", "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pairs", "9", "--shard", "2"), "--pairs must be a multiple of --shard, but 9 is none of 2"),
        (("--sigma", "0"), "--sigma and --learning-rate must be positive, but are 0.0 and 0.1"),
        (("--learning-rate", "nan"), "--sigma and --learning-rate must be positive, but are 0.2 and nan"),
        (("--shard", "0"), "--shard: must be at least 1, but is 0"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(options: Any, words: str, tmp_path: Path) -> None:
    finished = run_here("parallel.evolution_strategies", *options, "--out", tmp_path / "out")
    assert finished.returncode == 2
    assert finished.stderr.strip().splitlines()[-1].endswith(words)


# -- runs that continue -----------------------------------------------------------------------------------------------


def progress(path: Path, settings: Settings = SMALL, seed: int = 0) -> Progress:
    return Progress(search(settings, seed=seed), path, {"seed": seed, "sigma": settings.sigma})


def curve(run: Progress) -> Any:
    return run.curve.steps, bits(run.curve.returns)


def test_a_run_that_continues_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole, first, second = (progress(tmp_path / f"{name}.npz") for name in ("whole", "parts", "parts"))
    assert whole.continue_to(4)
    first.continue_to(2)
    second.resume()
    assert second.state.generation == 2
    second.continue_to(4)
    assert bits(second.state) == bits(whole.state) and curve(second) == curve(whole)
    assert second.state.optimizer.step == 4
    assert bits(checkpoint_of(tmp_path / "parts.npz")) == bits(checkpoint_of(tmp_path / "whole.npz"))


def checkpoint_of(path: Path) -> Any:
    """Return the parameters, Adam's moments and the curve in a file."""
    return checkpoint.load(path, classes=(evolution_strategies.State, npnets.optim.AdamState)).params


def test_a_run_without_a_file_starts_from_the_beginning(tmp_path: Path) -> None:
    run = progress(tmp_path / "none.npz")
    run.resume()
    assert run.state.generation == 0


def test_a_run_of_other_options_is_not_continued(tmp_path: Path) -> None:
    progress(tmp_path / "run.npz").continue_to(1)
    for other, words in (
        (progress(tmp_path / "run.npz", seed=1), "whose seed is 0, but here it is 1"),
        (progress(tmp_path / "run.npz", replace(SMALL, sigma=0.3)), "whose sigma is 0.2, but here it is 0.3"),
    ):
        with pytest.raises(ValueError, match=words):
            other.resume()


@pytest.mark.parametrize("when", ["in a task", "in an evaluation"])
def test_an_interrupt_leaves_the_last_complete_generation(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "play_population" if when == "in a task" else "evaluate"
    method, calls = getattr(EvolutionStrategies, name), 0

    def interrupted(self: Any, state: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return method(self, state)

    monkeypatch.setattr(EvolutionStrategies, name, interrupted)
    run, again, whole = (progress(tmp_path / f"{name}.npz") for name in ("run", "run", "whole"))
    assert not run.continue_to(4)
    again.resume()
    assert again.continue_to(4) and whole.continue_to(4)
    assert bits(again.state) == bits(whole.state) and curve(again) == curve(whole)


@pytest.mark.slow
def test_a_short_run_saves_the_policy_that_earned_what_it_says(tmp_path: Path) -> None:
    options = ("--generations", 2, "--learning-rate", 0.2, *SMALL_OPTIONS, "--out", tmp_path)
    finished = run_here("parallel.evolution_strategies", *options)
    assert finished.returncode == 0, finished.stderr
    found = json.loads((tmp_path / "results.json").read_text())["results"]
    assert found["steps"] == 2 and found["environment_steps"] == 2 * 8 * 200
    assert found["settings"]["learning_rate"] == 0.2 and found["settings"]["pairs"] == 4
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
    saved = checkpoint.load(tmp_path / "policy.npz")
    actor = saved.metadata["network"]
    policy = lambda observations: evolution_strategies.act(actor, saved.params, observations)  # noqa: E731
    returns, _ = episodes.play("Pendulum-v1", policy, range(1000, 1030))
    np.testing.assert_allclose(returns, found["returns"]["ES"]["episodes"], rtol=1e-3)
    assert abs(np.mean(found["curves"]["ES"]["returns"][0]) - returns.mean()) > 1


@pytest.mark.slow
def test_a_run_killed_with_sigkill_continues_bit_for_bit(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), "--generations", "6", *SMALL_OPTIONS]
    killed = [*command, "--out", str(tmp_path / "killed")]
    with subprocess.Popen(killed, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while not (tmp_path / "killed" / "checkpoint.npz").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    generation = checkpoint_of(tmp_path / "killed" / "checkpoint.npz")["state"].generation
    assert 1 <= generation < 6 and not (tmp_path / "killed" / "results.json").exists()
    resumed = subprocess.run([*killed, "--resume"], check=True, capture_output=True)
    assert f"| {generation}/6".encode() in resumed.stderr and b"| 0/6" not in resumed.stderr
    subprocess.run([*command, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    ends = [checkpoint_of(tmp_path / name / "checkpoint.npz") for name in ("killed", "whole")]
    assert bits(ends[0]) == bits(ends[1]) and ends[0]["state"].generation == 6
    policies = [(tmp_path / name / "policy.npz").read_bytes() for name in ("killed", "whole")]
    assert policies[0] == policies[1]


@pytest.mark.slow
def test_ctrl_c_saves_the_current_policy(tmp_path: Path) -> None:
    options = ("--generations", "1000000", *SMALL_OPTIONS, "--out", str(tmp_path))
    status, errors = interrupted_once(b"return=", PROGRAM, *options)  # a generation is finished
    assert status == 130
    assert b"saving the current state" in errors and b"Traceback" not in errors
    assert "actor" in checkpoint.load(tmp_path / "policy.npz").params

"""PPO with rollouts of other processes: the same bits wherever they are played, failures, and a resumed run."""

from __future__ import annotations

import functools
import json
import logging
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
from clock_environment import Clock
from interruption import interrupted_once
from shuffled_executor import ShuffledExecutor

from examples.online import ppo
from examples.parallel import episodes, ppo_rollouts, program, progress
from examples.parallel.ppo_rollouts import ParallelPPO, Settings
from examples.shared.pendulum_evaluation import EVALUATION_SEED, evaluate
from npnets import Policy, checkpoint, parallel

pytestmark = pytest.mark.numpy_alone("plays on workers, whose device is the processor")

PROGRAM = Path(ppo_rollouts.__file__)
SMALL: dict[str, Any] = {"num_envs": 2, "horizon": 8, "hidden_sizes": (6, 5), "passes": 2, "batch_size": 16}
SEED = 3
SETTINGS = Settings(seed=SEED, tasks=3, gamma=0.9, squash=True, normalize_observations=False, **SMALL)
SHORT = ("--steps", "384", "--tasks", "3", "--horizon", "16")  # four iterations of 96 steps


def training(executor: Any = None, settings: Settings = SETTINGS) -> ParallelPPO:
    return ParallelPPO(settings, executor or parallel.SerialExecutor())


def played_one_by_one(state: Any) -> list[ppo.Rollout]:
    """Return the rollouts of the iteration after a state."""
    generators = [parallel.generator((SEED, state.iteration + 1), index) for index in range(SETTINGS.tasks)]
    play = functools.partial(ppo_rollouts.play_rollout, SETTINGS.agent(), shared=state.params)
    return [play(index, rng=rng) for index, rng in enumerate(generators)]


@pytest.fixture
def clock_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gymnasium.registry, "Clock-v0", gymnasium.envs.registration.EnvSpec("Clock-v0", Clock))


# -- rollouts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make_executor",
    [
        parallel.SerialExecutor,
        lambda: ShuffledExecutor(3, 3, np.random.default_rng(0)),  # the last first
        pytest.param(lambda: parallel.ProcessExecutor(1), marks=pytest.mark.slow),
        pytest.param(lambda: parallel.ProcessExecutor(2), marks=pytest.mark.slow),
    ],
    ids=["serial", "shuffled", "one worker", "two workers"],
)
def test_joined_rollouts_are_those_of_the_tasks_in_their_order_bit_for_bit_wherever_they_were_played(
    make_executor: Any,
) -> None:
    with make_executor() as executor:
        state = training(executor).init()
        joined = training(executor).collect(state)
    apart = played_one_by_one(state)
    for name in joined._fields:
        expected = np.concatenate([getattr(rollout, name) for rollout in apart], axis=1)
        assert bits(getattr(joined, name)) == bits(expected), name
    assert joined.reward.shape == (8, 6)
    assert len(np.unique(joined.obs[0], axis=0)) == 6  # every environment has its own initial state


def test_every_iteration_plays_other_episodes() -> None:
    state = training().init()
    first, second = (training().collect(state._replace(iteration=iteration)) for iteration in (0, 1))
    assert not (first.obs == second.obs).any()


@pytest.mark.usefixtures("clock_id")
def test_advantages_of_joined_rollouts_stop_at_the_ends_of_episodes_and_of_rollouts() -> None:
    clock = training(settings=replace(SETTINGS, env="Clock-v0", tasks=2))
    begun, rollout = clock.agent.init(np.random.default_rng(0)), clock.collect(clock.init())
    _, batch = clock.agent.estimate(begun, rollout)
    values, following = (clock.agent.values(begun.params, seen) for seen in (rollout.obs, rollout.next_obs))
    expected = np.full((8, 4), np.nan)
    for env in range(4):
        # Steps 0 to 2 are an episode that ends in a terminal state, 4 to 6 one that ends at a time limit. Step 3 only
        # resets, and step 7 too.
        for end, beyond in ((2, 0.0), (6, following[6, env])):
            advantage = 0.0
            for step, after in zip((end, end - 1, end - 2), (beyond, *following[[end - 1, end - 2], env]), strict=True):
                error = rollout.reward[step, env] + 0.9 * after - values[step, env]
                advantage = error + 0.9 * SETTINGS.gae_lambda * advantage
                expected[step, env] = advantage
    np.testing.assert_array_equal(rollout.valid, np.isfinite(expected))
    np.testing.assert_allclose(batch.advantage, expected[rollout.valid], rtol=1e-5)
    np.testing.assert_allclose(batch.target, (expected + values)[rollout.valid], rtol=1e-5)


def failing(monkeypatch: pytest.MonkeyPatch, *failing: int) -> None:
    """Let the rollouts with some indices fail."""
    play = ppo_rollouts.play_rollout

    def play_or_fail(agent: Any, index: int, **given: Any) -> Any:
        if index in failing:
            raise ValueError(f"no torque in {index}")
        return play(agent, index, **given)

    monkeypatch.setattr(ppo_rollouts, "play_rollout", play_or_fail)


def test_a_rollout_whose_task_fails_is_logged_and_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = training().init()
    first, _, last = played_one_by_one(state)
    failing(monkeypatch, 1)
    with caplog.at_level(logging.WARNING, "npnets"):
        joined = training().collect(state)
    np.testing.assert_array_equal(joined.draw, np.concatenate([first.draw, last.draw], axis=1))
    assert [record.getMessage().count("no torque in 1") for record in caplog.records] == [1]
    assert training().next(state).steps == joined.valid.sum() == 32


def test_an_iteration_without_any_rollout_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 0, 1, 2)
    with pytest.raises(RuntimeError, match="iteration 1: all 3 rollouts failed; the log has the reasons"):
        training().collect(training().init())


# -- the program ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the program here, without other processes, and returns its exit status."""
    monkeypatch.setattr(program, "engine", lambda options: parallel.SerialExecutor())
    monkeypatch.setattr(episodes, "EVALUATION_EPISODES", 5)

    def run(*options: str, to: str = "out") -> Any:
        monkeypatch.setattr(sys, "argv", ["ppo_rollouts.py", *SHORT, "--out", str(tmp_path / to), *options])
        return ppo_rollouts.main()

    return run


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text())["results"]
    return found


def same(first: Path, second: Path) -> bool:
    """Return whether two runs end with the same policy and the same learning curve."""
    curves = [results(out)["curves"] for out in (first, second)]
    return curves[0] == curves[1] and (first / "policy.npz").read_bytes() == (second / "policy.npz").read_bytes()


@pytest.mark.slow
def test_a_short_run_saves_the_policy_that_earned_what_it_says(run: Any, tmp_path: Path) -> None:
    assert run() == 0
    found, saved = results(tmp_path / "out"), checkpoint.load(tmp_path / "out" / "policy.npz")
    assert found["environment_steps"] == 4 * 96 and found["curves"]["PPO"]["steps"] == [0, 1, 2, 3, 4]
    assert saved.metadata["network"] == Settings().agent().actor
    policy = Policy(saved.metadata["network"], saved.params, to_action="squash")
    returns = evaluate(policy.act, 5, EVALUATION_SEED)
    assert returns.tolist() == pytest.approx(found["returns"]["PPO"]["episodes"], rel=1e-6)
    assert (tmp_path / "out" / "learning.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.usefixtures("clock_id")
def test_a_run_that_is_stopped_and_resumed_ends_as_one_that_is_not(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVALUATIONS", 2)
    more = ("--env", "Clock-v0", "--steps", str(5 * 96))  # with an evaluation in every second iteration
    assert run(*more, to="whole") == 0

    def stop(self: ParallelPPO, state: Any) -> Any:
        if state.iteration == 3:
            raise RuntimeError("the power is off")
        return following(self, state)

    with monkeypatch.context() as patch:
        following = ParallelPPO.next
        patch.setattr(ParallelPPO, "next", stop)
        assert run(*more) == 2
    assert run(*more, "--resume") == 0
    assert same(tmp_path / "whole", tmp_path / "out")
    assert run(*more, "--resume") == 0  # with nothing left to do
    assert same(tmp_path / "whole", tmp_path / "out")
    assert run(*more, "--seed", "1", to="other") == 0
    assert not same(tmp_path / "whole", tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--resume", "--seed", "1"), "is of a run whose seed is 0, but here it is 1; resume with the options of that"),
        (("--resume", "--tasks", "2"), "is of a run whose tasks is 3, but here it is 2"),
        (("--env", "CartPole-v1"), "expected vectors as observations and actions, but CartPole-v1 has"),
        (("--env", "Nothing-v1"), "expected an environment that Gymnasium can make, but got Nothing-v1: "),
        (("--tasks", "0"), "--tasks: must be at least 1, but is 0"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(
    options: Any, words: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--resume" in options:
        assert run("--steps", "96") == 0
    capsys.readouterr()
    try:
        status = run("--steps", "96", *options)
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_a_checkpoint_of_another_program_is_refused(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    checkpoint.save(tmp_path / "out" / "checkpoint.npz", {"weight": np.zeros(2)})
    assert run("--resume") == 2
    assert "is no checkpoint of this program" in capsys.readouterr().err
    (tmp_path / "out" / "checkpoint.npz").write_bytes(b"PK\x03\x04 and no more")
    assert run("--resume") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_a_run_that_is_killed_and_resumed_ends_as_one_that_is_not_with_any_number_of_workers(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "EVALUATION_EPISODES", 30)  # as in other processes
    assert run(to="whole") == 0
    command = [sys.executable, str(PROGRAM), *SHORT, "--out"]
    file, silent = tmp_path / "killed" / "checkpoint.npz", subprocess.DEVNULL
    with subprocess.Popen([*command, str(file.parent), "--workers", "1"], stdout=silent, stderr=silent) as process:
        while not file.exists():  # after the first of four iterations
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not (file.parent / "policy.npz").exists()
    subprocess.run([*command, str(file.parent), "--workers", "2", "--resume"], check=True, capture_output=True)
    assert same(tmp_path / "whole", file.parent)


@pytest.mark.slow
def test_ctrl_c_saves_the_policy_as_far_as_it_got(tmp_path: Path) -> None:
    options = ("--tasks", "2", "--horizon", "50", "--workers", "2", "--out", str(tmp_path))
    status, errors = interrupted_once(b"return=", PROGRAM, *options)  # an iteration is finished
    assert status == 130
    assert b"saving the current state" in errors
    assert 0 < results(tmp_path)["steps"] < 800
    assert "mu" in checkpoint.load(tmp_path / "policy.npz").params


# -- other environments -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.needs_package("mujoco")
def test_it_learns_in_an_environment_of_mujoco(run: Any, tmp_path: Path) -> None:
    assert run("--env", "InvertedPendulum-v5", "--horizon", "40") == 0
    found = results(tmp_path / "out")
    assert found["title"] == "PPO on InvertedPendulum-v5" and found["settings"]["env"] == "InvertedPendulum-v5"
    assert min(found["curves"]["PPO"]["returns"][0]) > 0  # a point for every step that it stands

"""The comparison of learning curves, tested without Tianshou: table, picture, clock, files, options, npnets' side."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from benchmarks.harness.record import Record
from benchmarks.learning import npnets_side, one_side, picture, problem, rival, side_by_side
from benchmarks.learning.table import learning_table, pairs
from examples.memory.recurrent_imitation import swing_up
from examples.shared import pendulum_evaluation

pytestmark = pytest.mark.numpy_alone("runs the comparison on the CPU, and reads its results")

ASKED = Namespace(algorithms=["sac", "td3"], seeds=[0, 1], steps=2000, threads=1)


def made_up(library: str = "npnets", algorithm: str = "td3", seed: int = 0, **changed: Any) -> dict[str, Any]:
    run = {"library": library, "algorithm": algorithm, "seed": seed, "threads": 1, "steps": [0, 10, 20]}
    clocks = {"seconds": [0.0, 1.0, 2.0], "processor_seconds": [0.0, 0.5, 1.0]}
    return {**run, **clocks, "returns": [[-9.0, -9.0], [-5.0, -7.0], [-1.0, -3.0]], **changed}


# -- the table --------------------------------------------------------------------------------------------------------


def test_the_table_shows_the_last_policys_return_the_seconds_and_their_ratios() -> None:
    theirs = made_up("tianshou", seconds=[0.0, 3.0, 8.0], processor_seconds=[0.0, 1.0, 2.0])
    *_, row, mean = learning_table([made_up(), theirs | {"returns": [[0.0, 0.0], [0.0, 0.0], [-4.0, -8.0]]}])
    assert row.split() == "td3 0 -2.0 +- 1.0 -6.0 +- 2.0 2.0 8.0 0.25 0.50".split()
    assert mean == "td3: 0.25 of Tianshou's time and 0.50 of its processor time"


def test_the_mean_of_the_table_is_one_if_a_library_is_as_often_twice_as_quick_as_half_as_quick() -> None:
    quick, slow = made_up(seed=0), made_up(seed=1, seconds=[0.0, 2.0, 8.0], processor_seconds=[0.0, 1.0, 4.0])
    theirs = {"seconds": [0.0, 2.0, 4.0], "processor_seconds": [0.0, 1.0, 2.0]}
    table = learning_table([quick, slow, *(made_up("tianshou", seed=seed, **theirs) for seed in (0, 1))])
    assert table[-1] == "td3: 1.00 of Tianshou's time and 1.00 of its processor time"


def test_runs_that_only_one_library_has_finished_are_left_out() -> None:
    runs = [made_up(), made_up("tianshou"), made_up(seed=1), made_up("tianshou", "sac")]
    assert {name: [ours["seed"] for ours, _ in found] for name, found in pairs(runs).items()} == {"td3": [0]}
    assert [row.split()[:2] for row in learning_table(runs)[2:-1]] == [["td3", "0"]]


# -- the picture ------------------------------------------------------------------------------------------------------


def test_the_picture_shows_the_mean_of_the_seeds_over_steps_and_over_mean_seconds_and_the_band_holds_them() -> None:
    other = {"seconds": [0.0, 2.0, 4.0], "returns": [[-9.0, -9.0], [-8.0, -8.0], [-4.0, -4.0]]}
    runs = [made_up(), made_up(seed=1, **other), made_up("tianshou"), made_up("tianshou", seed=1)]
    over_steps, over_seconds = picture.figure_of({"runs": runs, "controller": -155.0}).axes
    for axes, along in ((over_steps, [0, 10, 20]), (over_seconds, [0, 1.5, 3])):
        level, ours, *_ = axes.lines
        assert ours.get_label() == "npnets" and list(level.get_ydata()) == [-155, -155]
        np.testing.assert_array_equal(ours.get_xydata(), np.transpose([along, [-9, -7, -3]]))
        edges = axes.collections[0].get_paths()[0].vertices
        assert {-8.0, -6.0, -4.0, -2.0} <= set(edges[:, 1])
        assert edges[:, 1].max() == -2 and edges[:, 1].min() == -9


def test_the_picture_has_two_panels_for_each_algorithm() -> None:
    runs = [made_up(library, name) for name in ("sac", "td3") for library in ("npnets", "tianshou")]
    titles = [axes.get_title() for axes in picture.figure_of({"runs": runs, "controller": 0.0}).axes]
    assert titles == [f"{name}: return over {over}" for name in ("SAC", "TD3") for over in ("steps", "seconds")]


# -- one run ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock of `one_side` that only the test advances; that of the processor is half as fast."""
    now = SimpleNamespace(seconds=100.0)
    given = SimpleNamespace(perf_counter=lambda: now.seconds, process_time=lambda: now.seconds / 2)
    monkeypatch.setattr(one_side, "time", given)
    return now


def learning_of(steps: int, clock: SimpleNamespace) -> Callable[[Any], None]:
    """Return a training with policies named after their steps; its start takes 50 seconds, and each step two."""

    def learn(watch: Any) -> None:
        clock.seconds += 50
        watch(0, 0)
        for step in range(1, steps + 1):
            clock.seconds += 2
            watch(step, step)

    return learn


def test_the_seconds_of_learning_exclude_the_start_and_the_evaluations(clock: SimpleNamespace) -> None:
    def evaluate(policy: Any) -> list[float]:
        clock.seconds += 1000
        return [-float(policy)]

    curve = one_side.learning_curve(learning_of(40, clock), 40, evaluate, "made up")
    assert curve["steps"] == list(range(0, 41, 2))
    assert curve["seconds"] == [2.0 * step for step in curve["steps"]]
    assert curve["processor_seconds"] == curve["steps"]
    assert curve["returns"] == [[-float(step)] for step in curve["steps"]]


def test_the_last_policy_is_evaluated_once_for_any_number_of_steps(clock: SimpleNamespace) -> None:
    for steps in (1, 7, 20, 45):
        curve = one_side.learning_curve(learning_of(steps, clock), steps, lambda policy: [0.0], "made up")
        assert curve["steps"][0] == 0 and curve["steps"][-1] == steps
        assert len(set(curve["steps"])) == len(curve["steps"])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small agents that begin to learn after ten steps, and are evaluated on the first second of two episodes."""
    sizes: dict[str, Any] = {"warmup": 10, "hidden_sizes": (8, 8), "batch_size": 4}
    for example in problem.EXAMPLES.values():
        monkeypatch.setitem(example.TUNED, "Pendulum-v1", example.TUNED["Pendulum-v1"] | sizes)
    monkeypatch.setattr(problem, "EPISODES", 2)
    monkeypatch.setattr(pendulum_evaluation, "STEPS", 20)


@pytest.mark.parametrize("algorithm", ["sac", "td3"])
@pytest.mark.usefixtures("small")
def test_npnets_side_learns_after_the_random_steps_and_is_reproducible(algorithm: str) -> None:
    first, again, other = (one_side.run("npnets", algorithm, seed, steps=20) for seed in (0, 0, 1))
    assert first["steps"] == list(range(21)) and first["settings"]["hidden_sizes"] == (8, 8)
    assert all(earned == first["returns"][0] for earned in first["returns"][:11])
    assert first["returns"][-1] != first["returns"][0]
    assert again["returns"] == first["returns"] != other["returns"]


def test_actions_within_one_become_torques_within_two_in_learning_and_evaluation(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, real = problem.make_env(), gymnasium.make("Pendulum-v1")
    for env in (ours, real):
        env.reset(seed=0)
    assert (ours.action_space.low.item(), ours.action_space.high.item()) == (-1, 1)
    for action in (-1.0, 0.3, 1.0):
        steps = zip(ours.step(np.float32([action])), real.step(np.float32([2 * action])), strict=True)
        for seen, expected in list(steps)[:2]:
            np.testing.assert_allclose(seen, expected, rtol=1e-6)
    returns = problem.evaluate_policy(lambda observations: swing_up(observations) / 2)
    expected = pendulum_evaluation.evaluate(swing_up, 2, pendulum_evaluation.EVALUATION_SEED)
    np.testing.assert_array_equal(returns, expected)


@pytest.mark.usefixtures("small")
def test_npnets_side_acts_within_one() -> None:
    obs = 1e3 * np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    acted: dict[int, Any] = {}
    settings = problem.settings_of("sac", steps=12)
    npnets_side.learn("sac", settings, lambda step, policy: acted.update({step: policy(obs)}))
    assert list(acted) == list(range(13))
    assert acted[12].shape == (50, 1) and 0.5 < np.abs(acted[12]).max() <= 1


# -- all runs ---------------------------------------------------------------------------------------------------------


def test_the_libraries_take_turns_and_every_pair_of_runs_reverses_their_order() -> None:
    cases = list(side_by_side.order(ASKED))
    assert [case[:2] for case in cases[::2]] == [("sac", 0), ("td3", 0), ("sac", 1), ("td3", 1)]
    assert [case[:2] for case in cases[1::2]] == [case[:2] for case in cases[::2]]
    assert [case[2] for case in cases] == ["npnets", "tianshou", "tianshou", "npnets"] * 2


class Recorded:
    """A simulated process, which records its arguments and returns its requests."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def call(self, **request: Any) -> dict[str, Any]:
        return {"started with": self.given, "asked": request}


def test_a_run_has_a_process_of_its_own_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "Worker", Recorded)
    found = side_by_side.run("td3", 3, "tianshou", ASKED)
    assert found.pop("started with") == ("benchmarks.learning.one_side", "td3 on tianshou, seed 3,", 1)
    who = {"library": "tianshou", "algorithm": "td3", "seed": 3}
    assert found.pop("asked") == {"run": {**who, "steps": 2000}} and found == {**who, "threads": 1}


def test_a_run_that_fails_ends_the_comparison_with_an_error_that_names_it() -> None:
    with pytest.raises(SystemExit, match="sac on no library, seed 1, ended with status 1"):
        side_by_side.run("sac", 1, "no library", ASKED)


def test_results_are_complete_after_every_run_and_can_be_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: list[int] = []

    def run(algorithm: str, seed: int, library: str, _: Namespace) -> dict[str, Any]:
        file = tmp_path / "learning_side_by_side.json"
        held.append(len(json.loads(file.read_text())["results"]["runs"]) if file.exists() else 0)
        if len(held) == 4:
            raise KeyboardInterrupt
        return made_up(library, algorithm, seed)

    monkeypatch.setattr(side_by_side, "run", run)
    monkeypatch.setattr(side_by_side, "EPISODES", 2)
    monkeypatch.setattr(side_by_side, "check_rival", lambda: None)
    monkeypatch.setattr(sys, "argv", ["learning", "--seeds", "0", "1", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        side_by_side.main()
    assert ended.value.code == 130 and held == [0, 1, 2, 3]
    assert "--again" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["learning", "--again", "--out", str(tmp_path)])
    side_by_side.main()
    shown = capsys.readouterr().out
    assert "processor: " in shown and "sac" in shown and "td3" not in shown
    assert (tmp_path / "learning_side_by_side.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "learning_side_by_side.json",
        "learning_side_by_side.png",
    ]


@pytest.mark.parametrize(
    ("runs", "words"), [(None, "without --again first"), ([made_up()], "that both libraries have finished")]
)
def test_without_results_to_show_again_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Any, words: str
) -> None:
    if runs is not None:
        Record("learning_side_by_side", tmp_path).write({"controller": 0.0, "runs": runs})
    monkeypatch.setattr(sys, "argv", ["learning", "--again", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=words):
        side_by_side.main()


# -- options ----------------------------------------------------------------------------------------------------------


def test_quick_is_one_seed_and_few_steps_unless_options_set_them() -> None:
    full, quick, asked = (
        side_by_side.parse_options(given) for given in ([], ["--quick"], ["--quick", "--seeds", "4", "5"])
    )
    assert (full.seeds, full.steps, full.algorithms, full.threads) == ([0, 1, 2], 20_000, ["sac", "td3"], 1)
    assert (quick.seeds, quick.steps) == ([0], 2000)
    assert (asked.seeds, asked.steps) == ([4, 5], 2000)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--steps", "1000"], "expected at least 1001, got 1000"),
        (["--seeds", "1", "1"], "--seeds: expected each once"),
        (["--seeds", "-1"], "must not be negative"),
        (["--algorithms", "td3", "td3"], "--algorithms: expected each once"),
        (["--algorithms", "ppo"], "invalid choice: 'ppo'"),
        (["--threads", "0"], "must be at least 1"),
    ],
)
def test_wrong_options_are_an_error_in_words(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        side_by_side.parse_options(given)
    assert ended.value.code == 2 and words in capsys.readouterr().err


def test_without_tianshou_or_with_another_version_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="has no torch and no tianshou; to install: pip install"):
        rival.check_rival()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.0.0")
    with pytest.raises(SystemExit, match="expected Tianshou 1.0.0, found 2.0.0; to install: pip install"):
        rival.check_rival()


def test_a_folder_that_is_a_file_is_an_error_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setattr(side_by_side, "check_rival", lambda: None)
    monkeypatch.setattr(sys, "argv", ["learning", "--out", str(tmp_path / "taken")])
    with pytest.raises(SystemExit, match="^error: .*taken is a file"):
        side_by_side.main()

"""The program of the search over settings: several at once, Ctrl-C, its options, its training and its picture."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interruption import interrupted_once

from examples.parallel import search_settings, trials_picture
from npnets import parallel

pytest.importorskip("optuna")
small_search = pytest.importorskip("small_search")

pytestmark = [
    pytest.mark.numpy_alone("is about databases and processes, whose device is the processor"),
    pytest.mark.needs_package("optuna"),
]

PROGRAM = Path(search_settings.__file__)


@pytest.mark.slow
def test_two_programs_that_start_together_share_one_search(tmp_path: Path) -> None:
    options = ["--trials", "7", "--workers", "2", "--steps", "30", "--out", str(tmp_path)]
    pipe = subprocess.PIPE
    both = [subprocess.Popen([sys.executable, str(PROGRAM), *options], stdout=pipe, stderr=pipe) for _ in range(2)]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in both]
    assert [(errors, status) for _, errors, status in ended] == [(b"", 0)] * 2
    printed = b"".join(output for output, *_ in ended)
    assert sorted(line.split(b":")[0] for line in printed.splitlines() if b"return -" in line) == [
        b"trial %d" % number for number in range(7)
    ]
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert [row["number"] for row in results["trials"]] == list(range(7))
    with contextlib.closing(sqlite3.connect(tmp_path / "trials.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM trials").fetchall() == [(7,)]
    assert not [path.name for path in tmp_path.iterdir() if "unfinished" in path.name]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the program here, without other processes, and returns its exit status."""

    def executor(workers: int) -> parallel.SerialExecutor:
        serial = parallel.SerialExecutor()
        serial.workers = workers  # type: ignore[attr-defined]
        return serial

    monkeypatch.setattr(search_settings.parallel, "ProcessExecutor", executor)

    def run(*options: str) -> Any:
        given = ["--steps", "20", "--workers", "1", "--out", str(tmp_path), *options]
        monkeypatch.setattr(sys, "argv", ["search_settings.py", *given])
        return search_settings.main()

    return run


@pytest.mark.slow
def test_the_program_prints_and_saves_the_trials_and_the_best_of_them(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--trials", "3") == 0
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    returns = [row["return"] for row in results["trials"]]
    assert results["best"] == results["trials"][int(np.argmax(returns))]
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert [float(line.split()[1]) for line in lines] == pytest.approx(sorted(returns, reverse=True), abs=0.06)
    assert float(lines[0].split()[2]) == pytest.approx(results["best"]["settings"]["actor_lr"], rel=1e-2)
    assert (tmp_path / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert run("--trials", "3") == 0
    assert json.loads((tmp_path / "results.json").read_text())["results"] == results


@pytest.mark.slow
def test_ctrl_c_saves_the_finished_trials_and_the_same_command_continues(tmp_path: Path) -> None:
    options = ["--steps", "30", "--workers", "1", "--lost-after", "2", "--out", str(tmp_path)]
    status, errors = interrupted_once(b"trial 1:", PROGRAM, *options, "--trials", "100", on="stdout")
    assert status == 130
    assert errors.splitlines() == [b"", b"interrupted: the same command continues the search"]
    before = json.loads((tmp_path / "results.json").read_text())["results"]["trials"]
    assert 2 <= len(before) < 100
    command = [sys.executable, str(PROGRAM), *options, "--trials", str(len(before) + 2)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    after = json.loads((tmp_path / "results.json").read_text())["results"]["trials"]
    assert after[: len(before)] == before and len(after) == len(before) + 2


def test_ctrl_c_before_the_first_finished_trial_is_no_error(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search_settings, "finished", lambda work, executor: False)
    assert run("--trials", "2") == 130
    assert capsys.readouterr().err == "" and not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "database is locked",
            "another process uses it, or was stopped while it did: wait for it or end it; or else SQLite needs a disk",
        ),
        ("database or disk is full", "free some space; the same command continues the search"),
        ("attempt to write a readonly database", "allow this program to write there, or choose another folder"),
        ("disk I/O error", "SQLite needs a disk of this machine, and does not work on a network file system"),
    ],
)
def test_an_error_of_the_database_has_the_remedy_of_its_cause(said: str, remedy: str) -> None:
    from examples.parallel import shared_study

    with (
        pytest.raises(OSError, match=f"^trials.sqlite: {said}: {remedy}"),
        shared_study.explained(Path("trials.sqlite")),
    ):
        raise sqlite3.OperationalError(said)


@pytest.mark.slow
def test_fewer_trials_than_there_are_is_an_error(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--trials", "2") == 0
    capsys.readouterr()
    assert run("--trials", "1") == 2
    assert "has 2 finished trials already: --trials is their number in the end" in capsys.readouterr().err


@pytest.mark.slow
def test_a_search_without_a_complete_trial_is_an_error(
    run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search_settings, "evaluate", lambda *given: np.array([math.nan]))
    assert run("--trials", "2") == 2
    assert "none of 2 trials has a return: ArithmeticError: its value is nan" in capsys.readouterr().err


def test_without_optuna_the_error_names_the_extra(
    run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "examples.parallel.shared_study")
    monkeypatch.delattr("examples.parallel.shared_study")
    assert run() == 2
    assert "the search needs Optuna: pip install 'npnets[search]'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_training_depends_on_its_settings_and_its_seed_and_reports_what_it_has_learned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search_settings, "WARMUP", 20)
    monkeypatch.setattr(search_settings, "EPISODES", 2)
    settings = {"actor_lr": 1e-3, "critic_lr": 1e-3, "tau": 0.01, "hidden_size": 16}

    def trained(seed: int = 1, **changes: Any) -> list[tuple[int, float]]:
        reported: list[tuple[int, float]] = []
        end = search_settings.train(settings | changes, seed, lambda *pair: reported.append(pair), steps=50)
        return [*reported, (50, end)]

    first = trained()
    assert [step for step, _ in first] == [30, 40, 50]
    assert first == trained()
    changes: list[dict[str, Any]] = [
        {"actor_lr": 0.1},
        {"critic_lr": 0.1},
        {"tau": 0.5},
        {"hidden_size": 17},
        {"seed": 2},
    ]
    assert all(trained(**change)[-1] != first[-1] for change in changes)


def test_the_picture_shows_every_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = ("complete", "complete", "pruned", "fail")
    trials = [
        {
            "state": state,
            "return": None if state == "fail" else -100.0 * i,
            "settings": {"rate": 0.01 * (i + 1), "width": 5},
        }
        for i, state in enumerate(states)
    ]
    results = {"title": "A search", "space": small_search.SPACE, "trials": trials, "best": trials[0]}
    figures: list[Any] = []
    monkeypatch.setattr(trials_picture, "save", lambda figure, path, dark: figures.append(figure))
    trials_picture.draw(results, tmp_path / "trials.png", dark=True)
    for axes, name in zip(figures[0].axes, small_search.SPACE, strict=True):
        drawn = {line.get_label(): [*line.get_xdata()] for line in axes.get_lines()}
        values = [row["settings"][name] for row in trials]
        assert drawn == {"complete": values[:2], "stopped early": values[2:3], "failed": values[3:], "best": values[:1]}

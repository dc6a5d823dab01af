"""A study on which several processes work: exactly its number of trials, kills, failures, and wrong databases."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from npnets import parallel

optuna = pytest.importorskip("optuna")
shared_study = pytest.importorskip("examples.parallel.shared_study")
small_search = pytest.importorskip("small_search")
TrialState = optuna.trial.TrialState

pytestmark = [
    pytest.mark.numpy_alone("is about databases and processes, whose device is the processor"),
    pytest.mark.needs_package("optuna"),
]

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="kills processes as POSIX does")


def study_of(search: Any) -> Any:
    with shared_study.explained(search.folder):
        return shared_study.open_study(search)


def without_heartbeat(search: Any) -> Any:
    """Return the same study as a process has it that leaves no sign of life."""
    study_of(search)
    storage = f"sqlite:///{search.folder / shared_study.DATABASE}"
    return optuna.load_study(study_name=shared_study.STUDY, storage=storage)


def rows_of(search: Any) -> list[dict[str, Any]]:
    with shared_study.explained(search.folder):
        return shared_study.rows(shared_study.open_study(search))


@contextlib.contextmanager
def at_work(search: Any, trials: int, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process work on a search, whose trainings take some time."""
    train = f"functools.partial(small_search.train_and_log, folder=Path({str(search.folder)!r}), seconds={seconds})"
    program = (
        "import functools, small_search; from pathlib import Path; from examples.parallel import shared_study;"
        f"search = small_search.search(Path({str(search.folder)!r}), {search.lost_after}, {train});"
        f"shared_study.work(0, search=search, trials={trials})"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=search.folder) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(folder: Path, lines: int) -> None:
    """Wait until some trainings have begun."""
    end = time.monotonic() + 120
    while not (folder / "log").exists() or len(small_search.log_of(folder)) < lines:
        assert time.monotonic() < end
        time.sleep(0.02)


# -- how many trials --------------------------------------------------------------------------------------------------


def test_a_continued_search_runs_only_the_trials_that_are_missing(tmp_path: Path) -> None:
    search = small_search.search(tmp_path)
    for trials in (3, 3, 5):
        shared_study.work(0, search=search, trials=trials)
        assert [row["number"] for row in rows_of(search)] == list(range(trials))
        assert len(small_search.log_of(tmp_path)) == trials
    for row, line in zip(rows_of(search), small_search.log_of(tmp_path), strict=True):
        assert row["settings"] == line["settings"]
        assert row["return"] == small_search.value(row["settings"])
        assert row["state"] == "complete"


def test_a_search_that_is_stopped_and_continued_finds_the_trials_of_one_that_is_not(tmp_path: Path) -> None:
    whole, parts = (small_search.search(tmp_path / name) for name in ("whole", "parts"))
    shared_study.work(0, search=whole, trials=13)  # of which the first ten are drawn without a model
    for trials in (4, 12, 13):
        shared_study.work(0, search=parts, trials=trials)
    settings = [[line["settings"] for line in small_search.log_of(search.folder)] for search in (whole, parts)]
    assert settings[0] == settings[1]
    assert len({row["rate"] for row in settings[0]}) == 13


@pytest.mark.slow
def test_several_workers_run_each_trial_once_and_together_exactly_their_number(tmp_path: Path) -> None:
    search = small_search.search(
        tmp_path, train=functools.partial(small_search.train_and_log, folder=tmp_path, seconds=0.2)
    )
    with parallel.ProcessExecutor(3) as executor:
        parallel.map_population(functools.partial(shared_study.work, search=search, trials=16), range(3), executor)
    lines = small_search.log_of(tmp_path)
    assert (
        len(lines) == len({line["seed"] for line in lines}) == len({line["settings"]["rate"] for line in lines}) == 16
    )
    assert len({line["process"] for line in lines}) == 3
    assert [row["number"] for row in rows_of(search)] == list(range(16))
    assert len(study_of(search).trials) == 16


# -- processes that die or stand still --------------------------------------------------------------------------------


@posix
@pytest.mark.slow
def test_a_trial_whose_process_is_killed_is_run_again_with_its_settings_and_its_seed(tmp_path: Path) -> None:
    search = small_search.search(tmp_path, lost_after=2)
    with at_work(search, trials=4, seconds=600.0) as process:
        wait_for(tmp_path, 1)
        process.send_signal(signal.SIGKILL)
    with at_work(search, trials=4, seconds=0.0) as process:
        assert process.wait(120) == 0
    killed, *others = small_search.log_of(tmp_path)
    assert len(others) == 4 == len(rows_of(search))
    (again,) = (line for line in others if line["settings"] == killed["settings"])
    assert again["seed"] == killed["seed"] and again["process"] != killed["process"]
    assert [row["settings"] for row in rows_of(search) if row["number"] == 0] == [killed["settings"]]
    assert len({line["seed"] for line in others}) == 4


@posix
@pytest.mark.slow
def test_a_trial_of_a_process_that_lives_is_waited_for_and_not_run_again(tmp_path: Path) -> None:
    search = small_search.search(tmp_path, lost_after=2)
    with at_work(search, trials=2, seconds=6.0) as process:
        wait_for(tmp_path, 1)
        shared_study.work(0, search=search, trials=2)
        assert process.wait(60) == 0
    assert len(small_search.log_of(tmp_path)) == len(study_of(search).trials) == 2


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a process would wait for the trial of another: there is none that could end."""
    monkeypatch.setattr(shared_study.time, "sleep", lambda seconds: seconds and pytest.fail("waits for ever"))


@pytest.mark.usefixtures("without_waiting")
def test_a_trial_whose_process_dies_before_it_has_settings_is_run_by_another(tmp_path: Path) -> None:
    search = small_search.search(tmp_path)
    without_heartbeat(search).ask()
    shared_study.work(0, search=search, trials=2)
    assert [row["number"] for row in rows_of(search)] == [0, 1]
    assert [trial.state for trial in study_of(search).trials] == [TrialState.FAIL, *[TrialState.COMPLETE] * 2]


@pytest.mark.usefixtures("without_waiting")
def test_a_trial_is_not_run_again_for_ever(tmp_path: Path) -> None:
    search = small_search.search(tmp_path)
    study = without_heartbeat(search)
    with shared_study.explained(tmp_path):
        for _ in range(1 + shared_study.RETRIES):
            number = study.ask().number
            study.tell(number, state=TrialState.FAIL)
            shared_study.run_again(study, study.trials[number])
    assert [row["state"] for row in rows_of(search)] == ["fail"]
    shared_study.work(0, search=search, trials=3)
    assert [row["state"] for row in rows_of(search)] == ["fail", "complete", "complete"]


@pytest.mark.usefixtures("without_waiting")
def test_the_result_of_a_process_that_stood_still_does_not_count_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stand_still(settings: Any, seed: int, report: Any) -> float:
        if not given_up:
            study = study_of(search)
            (trial,) = study.get_trials(states=(TrialState.RUNNING,))
            study.tell(trial.number, state=TrialState.FAIL)
            with shared_study.explained(tmp_path):
                shared_study.run_again(study, trial)
            given_up.append(settings)
            return -1.0
        return small_search.value(settings)

    given_up: list[Any] = []
    search = small_search.search(tmp_path, train=stand_still)
    shared_study.work(0, search=search, trials=2)
    assert "a result comes too late" in capsys.readouterr().out
    rows = rows_of(search)
    assert [row["state"] for row in rows] == ["complete"] * 2
    assert rows[0]["settings"] == given_up[0] and rows[0]["return"] == small_search.value(given_up[0])


# -- trials that fail or are stopped ----------------------------------------------------------------------------------


def test_a_trial_that_raises_or_gives_nan_has_failed_with_one_line_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(settings: Any, seed: int, report: Any) -> float:
        calls.append(seed)
        if len(calls) == 2:
            raise OverflowError("the critic is infinite\nand more")
        return math.nan if len(calls) == 3 else 1.0

    calls: list[int] = []
    search = small_search.search(tmp_path, train=fails)
    shared_study.work(0, search=search, trials=4)
    rows = rows_of(search)
    assert [row["state"] for row in rows] == ["complete", "fail", "fail", "complete"]
    assert [row["error"] for row in rows[1:3]] == [
        "OverflowError: the critic is infinite",
        "ArithmeticError: its value is nan",
    ]
    shown, errors = capsys.readouterr()
    assert errors == ""
    assert [line.split(" (")[0] for line in shown.splitlines()] == [
        "trial 0: return 1.0",
        "trial 1: failed, OverflowError: the critic is infinite",
        "trial 2: failed, ArithmeticError: its value is nan",
        "trial 3: return 1.0",
    ]


def test_a_trial_below_the_median_of_those_before_is_stopped(tmp_path: Path) -> None:
    def train(settings: Any, seed: int, report: Any) -> float:
        begun.append(seed)
        report(100, -1.0 if len(begun) == 7 else 1.0)
        ended.append(seed)
        return 2.0

    begun: list[int] = []
    ended: list[int] = []
    search = small_search.search(tmp_path, train=train)
    shared_study.work(0, search=search, trials=8)
    assert [row["state"] for row in rows_of(search)] == ["complete"] * 6 + ["pruned", "complete"]
    assert len(begun) == 8 and begun[:6] + begun[7:] == ended
    assert (rows_of(search)[6]["step"], rows_of(search)[6]["return"]) == (100, -1.0)


# -- wrong databases --------------------------------------------------------------------------------------------------


def of_another_program(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / shared_study.DATABASE)) as connection:
        connection.execute("CREATE TABLE bookmarks (address TEXT)")


def of_another_study(folder: Path) -> None:
    optuna.create_study(storage=f"sqlite:///{folder / shared_study.DATABASE}", study_name="cats")


def corrupt(folder: Path) -> None:
    (folder / shared_study.DATABASE).write_bytes(b"no database" * 100)


def of_another_seed(folder: Path) -> None:
    study_of(small_search.search(folder, seed=1))


def of_another_space(folder: Path) -> None:
    study_of(shared_study.Search(folder, {"rate": (0.1, 1.0)}, small_search.value, {"seed": 0}, 30))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (of_another_program, "is a database of another program; choose another folder with --out"),
        (of_another_study, "has a study of another program; choose another folder with --out"),
        (corrupt, "file is not a database: it is corrupt or of another program; choose another folder with --out"),
        (
            of_another_seed,
            "has a search whose seed is 1, but here it is 0; continue it with its own options, or choose",
        ),
        (of_another_space, "has a search whose space is {'rate': [0.1, 1.0]}, but here it is {'rate': [0.001, 1.0], "),
    ],
)
def test_a_database_of_something_else_is_an_error_of_one_line(make: Any, words: str, tmp_path: Path) -> None:
    make(tmp_path)
    before = (tmp_path / shared_study.DATABASE).read_bytes()
    with pytest.raises((OSError, ValueError)) as caught:
        shared_study.work(0, search=small_search.search(tmp_path), trials=1)
    assert str(caught.value).startswith(str(tmp_path / shared_study.DATABASE))
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert make is of_another_study or (tmp_path / shared_study.DATABASE).read_bytes() == before


def test_a_study_whose_first_process_died_before_it_stated_the_search_is_used(tmp_path: Path) -> None:
    search = small_search.search(tmp_path)
    optuna.create_study(
        storage=f"sqlite:///{tmp_path / shared_study.DATABASE}", study_name=shared_study.STUDY, direction="maximize"
    )
    shared_study.work(0, search=search, trials=1)
    assert len(rows_of(search)) == 1


def test_a_lock_that_is_never_released_is_an_error_about_network_file_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_study, "PATIENCE", 0.1)
    with (
        shared_study.locked(tmp_path),
        pytest.raises(
            OSError,
            match="database is locked: another process.*; or else SQLite needs a disk of this machine.*JournalStorage",
        ),
    ):
        shared_study.work(0, search=small_search.search(tmp_path), trials=1)

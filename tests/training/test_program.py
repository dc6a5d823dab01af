"""A program begins a run in an empty folder, continues only its own, and prints each error in one line."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_environments

import npnets
from npnets import training
from npnets.training import Run, option
from npnets.training.folder import owned

pytestmark = pytest.mark.numpy_alone("runs a program")

toy_environments.register()
ACTOR = npnets.Actor(npnets.Net(2, hidden_sizes=(4,)), 1)


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of a short run."""

    env: str = option("toy/Line-v0", "environment")
    steps: int = option(40, "steps")
    evaluate_every: int = option(20, "steps between evaluations")
    checkpoint_every: int = option(10, "steps between checkpoints")
    noise: float = option(0.1, "noise", at_least=0)
    still: int = option(4, "steps before the walk", at_least=0, less_than="steps")
    decay_steps: int = option(100, "steps of a decay", no_less_than="steps")


def train(settings: Settings, run: Run, interrupted_at: int | None = None) -> None:
    """Draw other parameters in every step; Ctrl-C may come after one of them."""
    state, rng, _ = run.restore(ACTOR.init(np.random.default_rng(settings.seed)), np.random.default_rng(settings.seed))
    run.record(state, {}, policy_of)
    for step in run.steps():
        noise = settings.noise * rng.normal()
        state = npnets.tree.map(lambda leaf, noise=noise: leaf + np.float32(noise), state)
        run.record(state, {"actor": noise}, policy_of)
        if step % 5 == 0:
            run.save_if_due(state, rng)
        if step == interrupted_at:
            raise KeyboardInterrupt


def policy_of(params: Any) -> npnets.Policy:
    return npnets.Policy(ACTOR, params)


class Program:
    """The program `drift.py` in a process of its own name, and what it has printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object, train: Any = train) -> int:
        return training.main(train, Settings, "Drift: a walk.\n\nMore.", None, [str(one) for one in arguments])

    def fails(self, *arguments: object, train: Any = train) -> str:
        """Return the one line of an error."""
        assert self(*arguments, train=train) == 2
        (line,) = self.capsys.readouterr().err.splitlines()
        return line


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "drift.py"), "--noise", "0.1"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as of a file, also under `python -m pytest`
    monkeypatch.chdir(tmp_path)
    return Program(capsys)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_run_leaves_its_results_with_where_they_come_from(program: Program, tmp_path: Path) -> None:
    assert program("--out", tmp_path / "a", "--seed", 3) == 0
    found = json.loads((tmp_path / "a" / "results.json").read_text())
    assert found["command"] == "python drift.py --noise 0.1"
    assert found["machine"]["processor"] == npnets.about()["processor"]
    results = found["results"]
    assert (results["title"], results["seed"], results["steps"]) == ("Drift on toy/Line-v0", 3, 40)
    last = results["progress"][-1]
    assert results["returns"] == {
        "Drift": {"mean": last["return"], "standard_error": pytest.approx(last["return_std"] / 10**0.5)}
    }
    assert {"checkpoint.npz", "learning.png", "policy.npz", "progress.csv"} <= contents(tmp_path / "a").keys()
    assert f"Drift on toy/Line-v0: {last['return']:.1f} ± " in program.capsys.readouterr().out


def test_by_default_a_run_has_a_folder_of_its_program_environment_and_seed(program: Program, tmp_path: Path) -> None:
    assert program("--seed", 2) == 0
    assert (tmp_path / "runs" / "drift-toy-Line-v0-2" / "policy.npz").exists()


def test_a_new_run_does_not_begin_in_a_folder_with_anything_in_it(program: Program, tmp_path: Path) -> None:
    assert program("--out", tmp_path / "a") == 0
    before = contents(tmp_path / "a")
    program.capsys.readouterr()
    assert program.fails("--out", tmp_path / "a").endswith(
        f"{tmp_path / 'a'} is not empty, and nothing is overwritten: continue the run there with --resume "
        f"{tmp_path / 'a'}, or choose another folder with --out"
    )
    assert contents(tmp_path / "a") == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("")
    assert "b is not empty, and nothing is overwritten: choose another" in program.fails("--out", tmp_path / "b")
    assert "is a file, and a run needs a folder" in program.fails("--out", tmp_path / "b" / "thesis.txt")


@pytest.mark.parametrize("name", ["DiscreteActions", "DictObservations", "InfiniteBounds", "Absent"])
def test_an_environment_that_does_not_fit_leaves_no_folder(program: Program, tmp_path: Path, name: str) -> None:
    assert f"toy/{name}-v0" in program.fails("--env", f"toy/{name}-v0", "--out", tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("device", ["tpu", "cuda:77"])
def test_a_device_that_is_not_there_leaves_no_folder(program: Program, tmp_path: Path, device: str) -> None:
    assert program.fails("--device", device, "--out", tmp_path / "a").startswith("drift.py: error: ")
    assert not (tmp_path / "a").exists()


def test_ctrl_c_says_how_to_continue_and_the_continued_run_ends_as_one_that_was_not_stopped(
    program: Program, tmp_path: Path
) -> None:
    assert program("--out", tmp_path / "whole") == 0
    assert program("--out", tmp_path / "stopped", train=functools.partial(train, interrupted_at=27)) == 130
    assert f"continue with --resume {tmp_path / 'stopped'}" in program.capsys.readouterr().err
    assert program("--resume", tmp_path / "stopped") == 0
    assert contents(tmp_path / "whole")["policy.npz"] == contents(tmp_path / "stopped")["policy.npz"]


def test_a_finished_run_is_continued_with_more_steps_and_without_them_stays_as_it_is(
    program: Program, tmp_path: Path
) -> None:
    assert program("--out", tmp_path / "a") == 0
    before = contents(tmp_path / "a")
    assert program("--resume", tmp_path / "a") == 0
    assert contents(tmp_path / "a") == before
    assert program("--resume", tmp_path / "a", "--threads", 2) == 0
    assert contents(tmp_path / "a")["results.json"] == before["results.json"]
    (tmp_path / "a" / "results.json").write_bytes(before["results.json"][:-9])
    assert program("--resume", tmp_path / "a") == 0  # written anew
    after = contents(tmp_path / "a")
    one, other = (json.loads(files["results.json"])["results"] for files in (before, after))
    assert repr(one["progress"]) == repr(other["progress"]) and one["returns"] == other["returns"]
    assert program("--resume", tmp_path / "a", "--steps", 60) == 0
    continued = json.loads((tmp_path / "a" / "results.json").read_text())["command"]
    assert continued == "python drift.py --noise 0.1, continued by python drift.py --noise 0.1"  # both of this process
    assert program("--out", tmp_path / "b", "--steps", 60) == 0
    assert contents(tmp_path / "a")["policy.npz"] == contents(tmp_path / "b")["policy.npz"]


def test_the_last_line_is_printed_on_a_terminal_of_any_letters(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    assert program("--out", tmp_path / "a") == 0
    assert re.fullmatch(rb"Drift on toy/Line-v0: -?[\d.]+ \? [\d.]+ after .*\n", shown.getvalue())


def test_a_setting_that_must_not_be_less_than_the_steps_is_changed_with_them(program: Program, tmp_path: Path) -> None:
    assert program("--out", tmp_path / "a") == 0
    before = contents(tmp_path / "a")
    line = program.fails("--resume", tmp_path / "a", "--steps", 200)
    assert line.endswith("at least --steps, but they are 100 and 200; choose a larger --decay-steps")
    assert contents(tmp_path / "a") == before
    assert program("--resume", tmp_path / "a", "--steps", 200, "--decay-steps", 200) == 0
    settings = json.loads((tmp_path / "a" / "settings.json").read_text())
    assert settings["settings"]["decay_steps"] == 200 and ", continued by " in settings["command"]
    again = program.fails("--resume", tmp_path / "a", "--steps", 200, "--decay-steps", 300)
    assert "was begun with --decay-steps 200, and a run is continued with its own settings" in again


def test_a_run_is_continued_by_its_own_program_with_its_own_settings(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program("--out", tmp_path / "a", "--noise", 0.5) == 0
    program.capsys.readouterr()
    before = contents(tmp_path / "a")
    assert program.fails("--resume", tmp_path / "a", "--noise", 0.25).endswith(
        "a was begun with --noise 0.5, and a run is continued with its own settings; leave the option out, or begin a "
        "new run in another folder"
    )
    monkeypatch.setattr(sys, "argv", ["other.py"])
    assert "a has a run of drift: continue it with that program, not other" in program.fails("--resume", tmp_path / "a")
    assert contents(tmp_path / "a") == before


def test_a_run_that_has_taken_more_steps_than_it_is_given_stays_as_it_is(program: Program, tmp_path: Path) -> None:
    assert program("--out", tmp_path / "a") == 0
    before = contents(tmp_path / "a")
    program.capsys.readouterr()
    line = program.fails("--resume", tmp_path / "a", "--steps", 39)
    assert "a has a checkpoint after 40 steps, more than --steps 39; leave the option out" in line
    assert contents(tmp_path / "a") == before


def test_a_run_that_took_more_steps_than_it_was_given_is_continued_with_another_number_of_threads(
    program: Program, tmp_path: Path
) -> None:
    def exceeding(settings: Settings, run: Run) -> None:
        state, rng, _ = run.restore(ACTOR.init(np.random.default_rng(0)), np.random.default_rng(0))
        run.advance(42)
        run.record(state, {}, policy_of)
        run.save_if_due(state, rng)

    assert program("--out", tmp_path / "a", train=exceeding) == 0
    assert program("--resume", tmp_path / "a", "--threads", 2) == 0


def test_a_run_that_ends_at_its_checkpoint_has_no_policy_and_no_row_of_a_later_step(
    program: Program, tmp_path: Path
) -> None:
    def slow(settings: Settings, run: Run) -> None:
        """Take 60 steps with one checkpoint, after 20."""
        state, rng, _ = run.restore(ACTOR.init(np.random.default_rng(0)), np.random.default_rng(0))
        run.record(state, {}, policy_of)
        for step in run.steps():
            state = npnets.tree.map(lambda leaf: leaf + np.float32(1), state)
            run.record(state, {}, policy_of)
            if step == 20:
                run.save_if_due(state, rng)
            if step == 45:
                raise KeyboardInterrupt

    assert program("--out", tmp_path / "whole", "--steps", 20, train=slow) == 0
    assert program("--out", tmp_path / "a", "--steps", 60, train=slow) == 130
    assert len((tmp_path / "a" / "progress.csv").read_text().splitlines()) == 4  # rows of 0, 20 and 40
    assert program("--resume", tmp_path / "a", "--steps", 20, train=slow) == 0
    assert contents(tmp_path / "a")["policy.npz"] == contents(tmp_path / "whole")["policy.npz"]
    rows = [(tmp_path / name / "progress.csv").read_text().splitlines() for name in ("a", "whole")]
    assert [row.split(",")[0] for row in rows[0]] == [row.split(",")[0] for row in rows[1]] == ["steps", "0", "20"]


def test_a_continued_run_keeps_the_order_of_its_settings(program: Program, tmp_path: Path) -> None:
    assert program("--out", tmp_path / "a", train=functools.partial(train, interrupted_at=1)) == 130
    before = (tmp_path / "a" / "settings.json").read_bytes()
    program.capsys.readouterr()
    line = program.fails("--resume", tmp_path / "a", "--steps", 4)
    assert "expected --still less than --steps, but they are 4 and 4" in line
    assert (tmp_path / "a" / "settings.json").read_bytes() == before
    assert program("--resume", tmp_path / "a", "--steps", 5) == 0


def test_a_run_of_an_earlier_version_that_had_no_such_order_is_continued_with_more_steps(
    program: Program, tmp_path: Path
) -> None:
    assert program("--out", tmp_path / "a", train=functools.partial(train, interrupted_at=1)) == 130
    file = tmp_path / "a" / "settings.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"steps": 40', '"steps": 4'), encoding="utf-8")
    program.capsys.readouterr()
    assert program.fails("--resume", tmp_path / "a").startswith("drift.py: error: expected --still less than --steps")
    assert program("--resume", tmp_path / "a", "--steps", 40) == 0


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("settings.json", b"{", "settings.json is damaged, or was written by another program or version"),
        (
            "settings.json",
            b'{"program": "drift", "command": "", "settings": {"colour": 1}}',
            "settings.json is damaged",
        ),
        ("settings.json", None, "has no settings.json; check the path"),
        (
            "settings.json",
            b'{"program": "sac", "command": "", "files": {}, "settings": {"colour": 1}}',
            "a run of sac: co",
        ),
        (
            "settings.json",
            b'{"program": "drift", "command": "", "files": {}, "settings": {"steps": "4"}}',
            "steps is '4'",
        ),
        ("checkpoint.npz", b"PK", "checkpoint.npz"),
        (
            "checkpoint.npz",
            None,
            "checkpoint.npz, from which the run continues, but there is none, and nothing is over",
        ),
        ("progress.csv", b"steps,return\n1,x\n", "progress.csv is damaged"),
        ("progress.csv", b"steps,seconds,return,return_std\n0,0.5,-1\n", "progress.csv is damaged: a row lacks"),
        ("progress.csv", b"steps,seconds,return,return_std\nnan,1,2,3\n", "the steps of a row are nan"),
        ("progress.csv", b"seconds\n0.5\n", "progress.csv is damaged: the first line lacks steps and return"),
        ("progress.csv", b"", "progress.csv is damaged: the first line lacks steps"),
        ("progress.csv", b"steps,seconds,return,return_std\n0,1,2,3,4\n", "a row has more cells than the first line"),
    ],
)
def test_a_damaged_file_is_an_error_of_one_line_and_nothing_is_overwritten(
    program: Program, tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    assert program("--out", tmp_path / "a") == 0
    path = tmp_path / "a" / file
    path.unlink() if content is None else path.write_bytes(content)
    before = contents(tmp_path / "a")
    program.capsys.readouterr()
    assert message in program.fails("--resume", tmp_path / "a")
    assert contents(tmp_path / "a") == before


@pytest.mark.skipif(os.name == "nt", reason="there are no such locks")
def test_two_processes_do_not_run_in_one_folder(program: Program, tmp_path: Path) -> None:
    def inner(settings: Settings, run: Run) -> None:
        before = contents(run.folder)
        assert "another process runs in" in program.fails("--resume", run.folder)
        assert "another process runs in" in program.fails("--resume", run.folder, "--steps", 60)
        assert contents(run.folder) == before
        train(settings, run)

    assert program("--out", tmp_path / "a", train=inner) == 0


@pytest.mark.skipif(os.name == "nt", reason="there are no such locks")
def test_on_a_disk_without_locks_a_run_begins_and_is_continued(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    assert program("--out", tmp_path / "a") == 0
    assert program("--resume", tmp_path / "a") == 0


def test_a_video_is_recorded_where_the_environment_draws_and_a_failure_is_one_line(
    program: Program, tmp_path: Path
) -> None:
    assert program("--out", tmp_path / "a", "--video") == 0
    assert (tmp_path / "a" / "episode.gif").read_bytes()[:6] == b"GIF89a"
    program.capsys.readouterr()
    line = program.fails("--out", tmp_path / "b", "--video", "--env", "toy/Unrendered-v0")
    assert "toy/Unrendered-v0 cannot be rendered here: no display at all" in line
    assert (tmp_path / "b" / "policy.npz").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left"), "No space left; free some space, and continue the run with --resume"),
        (
            PermissionError(errno.EACCES, "Denied", "x"),
            "'x'; change the permissions, or begin a new run in another folder with --out",
        ),
        (MemoryError("9 GiB"), "not enough memory: 9 GiB; choose a smaller buffer, batch or network"),
        (ValueError("two\nlines"), "error: two lines"),
        (ValueError(), "error: ValueError"),
        (FloatingPointError("expected finite gradients"), "the training has diverged; is a learning rate too high"),
    ],
)
def test_an_error_of_the_system_has_a_remedy_and_is_one_line(
    program: Program, tmp_path: Path, error: Exception, message: str
) -> None:
    def failing(settings: Settings, run: Run) -> None:
        raise error

    assert message in program.fails("--out", tmp_path / "a", train=failing)


def test_a_folder_that_is_deleted_during_a_run_is_named(program: Program, tmp_path: Path) -> None:
    def deleting(settings: Settings, run: Run) -> None:
        shutil.rmtree(run.folder)
        train(settings, run)

    assert f"there is no folder {tmp_path / 'a'}" in program.fails("--out", tmp_path / "a", train=deleting)


@pytest.mark.skipif(os.name == "nt", reason="there are no such locks")
def test_a_run_does_not_begin_in_a_folder_where_another_begins(program: Program, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with owned(tmp_path / "a"):
        assert "another process runs in" in program.fails("--out", tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [".lock"]

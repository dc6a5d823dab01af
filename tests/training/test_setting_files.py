"""A setting that is a file: a run knows its content again, and a folder without a run is taken away."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import toy_environments

import npnets
from npnets import training

pytestmark = pytest.mark.numpy_alone("compares files")

toy_environments.register()


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings with a file, whose policy sees only the first entry of an observation."""

    data: str = training.option("absent.txt", "a file", is_file=True)

    def wrap(self, env: object) -> object:
        """Hide all but the first entry."""
        space = gymnasium.spaces.Box(-1, 1, (1,))
        return gymnasium.wrappers.TransformObservation(env, lambda obs: obs[:1], space)  # type: ignore[arg-type]


def train(settings: Settings, run: training.Run) -> None:
    """Take the steps; a file that says so is an error before the run begins, at its first step, or after that."""
    content = Path(settings.data).read_text()
    if content == "faulty":
        raise ValueError("the file is faulty")
    network = npnets.Net(1, 1)
    state, rng, _ = run.restore(network.init(np.random.default_rng(0)), np.random.default_rng(0))
    if content == "faulty later":
        raise ValueError("the file is faulty")
    for _ in run.steps():
        if content == "silent":
            run.save_if_due(state, rng)
            continue
        run.record(state, {}, lambda params: npnets.Policy(network, params))
        run.save_if_due(state, rng)


def program(*arguments: object) -> int:
    options = ["--episodes", "1", "--steps", "2"] if "--resume" not in arguments else []
    return training.main(train, Settings, "Toy: a program.", arguments=[*map(str, arguments), *options])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a file, and a run of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["toy.py"])
    (tmp_path / "a.txt").write_text("content")
    assert program("--data", "a.txt", "--out", "run") == 0
    return tmp_path


def test_the_run_has_the_absolute_path_and_the_digest_of_the_file(folder: Path) -> None:
    found = json.loads((folder / "run" / "settings.json").read_text())
    assert found["settings"]["data"] == str(folder / "a.txt")
    assert found["files"]["data"] == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"


def test_a_video_is_recorded_of_what_the_policy_sees(folder: Path) -> None:
    assert program("--data", "a.txt", "--out", "film", "--env", "toy/Forgiving-v0", "--video") == 0
    assert (folder / "film" / "episode.gif").exists()


def test_a_run_continues_with_the_same_content_wherever_it_lies_now(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "b.txt")
    assert program("--resume", "run", "--data", "b.txt", "--steps", 3) == 0
    assert program("--resume", "run") == 0
    assert json.loads((folder / "run" / "settings.json").read_text())["settings"]["data"] == str(folder / "b.txt")


@pytest.mark.parametrize("change", ["content", "another file", "no file"])
def test_a_run_does_not_continue_with_another_content(
    folder: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.txt" if change == "content" else folder / "b.txt").write_text("other")
    given = {"content": [], "another file": ["--data", "b.txt"], "no file": ["--data", ""]}[change]
    assert program("--resume", "run", *given) == 2
    assert "run was begun with another --data than what is now" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_an_error_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("--out", "other") == 2
    said = capsys.readouterr().err
    assert f"expected a file for --data, but there is none at {folder / 'absent.txt'}" in said
    assert len(said.splitlines()) == 1 and not (folder / "other").exists()


def test_a_folder_in_place_of_a_file_is_an_error_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("--data", folder, "--out", "other") == 2
    assert f"expected a file for --data, but {folder} is a folder; name a file in it" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["faulty", "faulty later"])
@pytest.mark.parametrize("options", [[], ["--tensorboard"]])
def test_an_error_before_the_first_evaluation_of_a_new_run_leaves_no_folder(
    folder: Path, content: str, options: list[str]
) -> None:
    (folder / "faulty.txt").write_text(content)
    assert program("--data", "faulty.txt", "--out", "other", *options) == 2
    assert not (folder / "other").exists()
    (folder / "other").mkdir()
    (folder / "other" / ".hidden").write_text("")
    assert program("--data", "faulty.txt", "--out", "other", *options) == 2
    assert program("--data", "a.txt", "--out", "other") == 0
    assert (folder / "other" / ".hidden").exists()


def test_a_run_that_never_evaluates_is_an_error_which_leaves_what_it_has_learned(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.txt").write_text("silent")
    assert program("--data", "a.txt", "--out", "other") == 2
    assert "the run in other has no evaluation: train() must call run.record() after the" in capsys.readouterr().err
    assert (folder / "other" / "checkpoint.npz").exists()


def test_an_error_leaves_the_folder_of_a_continued_run(folder: Path) -> None:
    for name in ("progress.csv", "policy.npz", "results.json", "learning.png", "checkpoint.npz"):
        (folder / "run" / name).unlink()  # as of a run that was killed at once
    content = (folder / "a.txt").read_text()
    digest = (folder / "run" / "settings.json").read_text()
    faulty = hashlib.sha256(b"faulty").hexdigest()
    (folder / "run" / "settings.json").write_text(digest.replace(hashlib.sha256(content.encode()).hexdigest(), faulty))
    (folder / "a.txt").write_text("faulty")
    assert program("--resume", "run") == 2
    assert (folder / "run" / "settings.json").exists()


@pytest.mark.parametrize(
    ("name", "left"),
    [("checkpoint.npz", b"PK"), ("progress.csv", b"PK"), ("progress.csv", b"steps,seconds,return,return_std\n")],
)
def test_the_settings_of_a_run_with_a_damaged_file_stay_when_it_is_continued_with_more_steps(
    folder: Path, name: str, left: bytes
) -> None:
    (folder / "run" / name).write_bytes(left)
    before = {path.name: path.read_bytes() for path in (folder / "run").iterdir()}
    assert program("--resume", "run", "--steps", 5) == 2
    assert {path.name: path.read_bytes() for path in (folder / "run").iterdir()} == before


@pytest.mark.parametrize("found", ["null", "[]", '{"other": "0"}'])
def test_damaged_digests_are_an_error_in_one_line(folder: Path, found: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "run" / "settings.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "files": json.loads(found)}))
    capsys.readouterr()
    assert program("--resume", "run") == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "settings.json is damaged, or was written by another program or version" in said and "files is" in said

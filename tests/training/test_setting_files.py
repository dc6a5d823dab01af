"""A setting that is a file: a run knows its content again, and a folder without a run is taken away."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import npnets
from npnets import training

pytestmark = pytest.mark.numpy_alone("compares files")


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings with a file, whose policy sees only the first entry of an observation."""

    data: str = training.option("absent.txt", "a file", is_file=True)

    def wrap(self, env: object) -> object:
        """Hide all but the first entry."""
        space = gymnasium.spaces.Box(-1, 1, (1,))
        return gymnasium.wrappers.TransformObservation(env, lambda obs: obs[:1], space)  # type: ignore[arg-type]


def train(settings: Settings, run: training.Run) -> None:
    """Take the steps; a file that says so is an error before there is anything of a run."""
    if Path(settings.data).read_text() == "faulty":
        raise ValueError("the file is faulty")
    network = npnets.Net(1, 1)
    state, rng, _ = run.restore(network.init(np.random.default_rng(0)), np.random.default_rng(0))
    for _ in run.steps():
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


def test_an_error_before_the_first_evaluation_leaves_no_folder_and_a_later_one_leaves_it(folder: Path) -> None:
    (folder / "faulty.txt").write_text("faulty")
    assert program("--data", "faulty.txt", "--out", "other") == 2
    assert not (folder / "other").exists()
    (folder / "run" / "checkpoint.npz").write_bytes(b"PK")
    assert program("--resume", "run", "--steps", 5) == 2
    assert (folder / "run" / "progress.csv").exists()

"""Result files: their header, complete after any interruption, readable, and clear errors without them."""

from __future__ import annotations

import datetime
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import npnets
from benchmarks.harness import options, record
from benchmarks.harness.record import Record, explained, in_few_lines, read

pytestmark = pytest.mark.numpy_alone("writes and reads result files")


def test_a_result_file_contains_the_command_the_date_the_machine_and_the_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=SimpleNamespace(name="benchmarks.cpu.speed")))
    monkeypatch.setattr(sys, "argv", ["speed.py", "--out", "elsewhere", "--only", "a b"])
    Record("made_up", tmp_path / "new").write({"median": 1.5})
    found = json.loads((tmp_path / "new" / "made_up.json").read_text())
    assert list(found) == ["command", "date", "machine", "versions", "load", "results"]
    assert found["command"] == "python -m benchmarks.cpu.speed --only 'a b'"
    assert found["date"] == datetime.date.today().isoformat()
    assert found["machine"]["processor"] and found["machine"]["cores"] >= 1 and found["machine"]["system"]
    assert found["versions"]["npnets"] == npnets.__version__ and {"python", "numpy"} < set(found["versions"])
    assert found["load"] >= 0 and found["results"] == {"median": 1.5}


def test_the_header_is_taken_before_the_measurement_and_every_write_replaces_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record.os, "getloadavg", lambda: (0.0, 0.3, 0.0))
    made = Record("made_up", tmp_path)
    monkeypatch.setattr(record.os, "getloadavg", lambda: (9.0, 9.0, 9.0))
    for number in (1, 2):
        made.write({"number": number})
        found = read("made_up", tmp_path)
        assert found["results"] == {"number": number} and found["load"] == 0.3
    assert [path.name for path in tmp_path.iterdir()] == ["made_up.json"]


def test_an_interruption_while_the_file_is_written_leaves_the_last_complete_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made, whole = Record("made_up", tmp_path), {"rounds": [1.0, 2.0]}
    made.write(whole)
    write_text = Path.write_text

    def half(path: Path, text: str, **options: Any) -> int:
        write_text(path, text[: len(text) // 2], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(SystemExit) as ended, explained(tmp_path):
        made.write({"rounds": [3.0] * 1000})
    assert ended.value.code == 130 and f"--again shows the results in {tmp_path}" in capsys.readouterr().err
    assert read("made_up", tmp_path)["results"] == whole


def test_a_number_that_json_cannot_represent_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Record("made_up", tmp_path).write({"median": float("nan")})
    assert not list(tmp_path.iterdir())


def test_the_innermost_lists_have_a_line_each_and_text_is_unchanged() -> None:
    value = {"command": "a [b\n c] {d  e}", "cells": [{"rounds": [1, 2]}, {"rounds": []}]}
    text = in_few_lines(value)
    assert json.loads(text) == value and '   "rounds": [ 1, 2 ]\n' in text


def test_without_a_result_file_again_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"^error: there is no .*made_up\.json to show again; run without --again first"
    ):
        read("made_up", tmp_path)


def test_a_folder_that_is_a_file_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SystemExit, match="^error: .*taken is a file"), explained(tmp_path):
        Record("made_up", tmp_path / "taken")


def parsed(*arguments: str) -> Any:
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--steps", type=int)
    return options.parse(parser, {"rounds": 21}, {"rounds": 3, "steps": 5}, arguments)


def test_quick_changes_only_options_that_are_not_set() -> None:
    full, quick, asked = parsed(), parsed("--quick"), parsed("--quick", "--rounds", "7")
    assert (full.rounds, full.steps, full.out) == (21, None, Path("runs/benchmarks"))
    assert (quick.rounds, quick.steps, asked.rounds, asked.steps) == (3, 5, 7, 5)


def test_an_abbreviated_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--qui")
    assert "unrecognized arguments: --qui" in capsys.readouterr().err

"""The command `python -m npnets`: its output, its exit status, and its errors for files that it cannot show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import npnets

pytestmark = pytest.mark.numpy_alone("runs in processes of its own")

on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has other errors for folders and for closed pipes")

ACTOR = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "npnets", *arguments]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, env=env)


def saved(path: Path) -> Path:
    params = ACTOR.init(numpy.random.default_rng(0))
    npnets.checkpoint.save(path, params, {"network": ACTOR, "steps": 3, "long": "x" * 5000})
    return path


def test_without_a_command_it_prints_one_fact_a_line() -> None:
    done = run()
    facts = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert [name.replace(" ", "_") for name in facts] == list(npnets.about())
    assert (facts["npnets"].strip(), facts["numpy"].strip()) == (npnets.__version__, numpy.__version__)


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_summary_shows_the_metadata_and_the_arrays_of_a_checkpoint(tmp_path: Path, ending: str) -> None:
    done = run("summary", str(saved(tmp_path / f"actor.{ending}")))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[:2] == [f"network  {ACTOR!r}", "steps    3"]
    assert lines[2].startswith("long     'xxx") and len(lines[2]) < 1100
    table = npnets.summary(ACTOR, ACTOR.init(numpy.random.default_rng(0))).splitlines()
    assert lines[3:] == table[1:]


def test_summary_of_a_bare_array_shows_it_as_a_row(tmp_path: Path) -> None:
    npnets.checkpoint.save(tmp_path / "array.npz", numpy.zeros((2, 3), numpy.float32))
    lines = run("summary", str(tmp_path / "array.npz")).stdout.splitlines()
    assert lines[3].split() == ["array", "(2,", "3)", "float32", "6"] and lines[-1] == "6 parameters, 24 bytes"


def test_summary_of_a_checkpoint_without_arrays_says_so(tmp_path: Path) -> None:
    npnets.checkpoint.save(tmp_path / "empty.npz", {}, {"steps": 3})
    assert run("summary", str(tmp_path / "empty.npz")).stdout == "steps  3\nno arrays\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.npz", None, "{path}: No such file or directory"),
        pytest.param("folder.npz", "", "{path}: Is a directory", marks=on_posix),
        ("other.npz", b"text", "{path}: expected a whole .npz file, but it cannot be read"),
        ("policy.pth", b"text", "npnets.interop.torch_file.load reads files of PyTorch's"),
    ],
)
def test_a_file_that_cannot_be_shown_is_an_error_in_one_line(
    tmp_path: Path, name: str, content: bytes | str | None, words: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    done = run("summary", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("python -m npnets: error: ") and done.stderr.count("\n") == 1
    assert words.format(path=path) in done.stderr


def test_without_safetensors_an_error_says_what_to_install(tmp_path: Path) -> None:
    path = saved(tmp_path / "actor.safetensors")
    code = (
        "import sys; sys.modules['safetensors'] = None; from npnets.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "summary", str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "pip install 'npnets[safetensors]'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_help_and_version_are_printed() -> None:
    assert run("--version").stdout == f"npnets {npnets.__version__}\n"
    done = run("--help")
    assert done.returncode == 0 and "summary" in done.stdout
    assert "usage: python -m npnets summary [-h] FILE" in run("summary", "--help").stdout


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("frobnicate",), ("summary",), ("summary", "a.npz", "b.npz"), ("--frobnicate",)])
def test_an_unknown_command_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python -m npnets" in done.stderr


@on_posix
def test_a_closed_pipe_prints_no_error_message(tmp_path: Path) -> None:
    path = saved(tmp_path / "actor.npz")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "npnets", "summary", str(path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_output_encoding_without_the_lines_of_a_tree_is_no_error(tmp_path: Path) -> None:
    done = run("summary", str(saved(tmp_path / "actor.npz")), PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "? linear_0" in done.stdout.replace("??", "?")

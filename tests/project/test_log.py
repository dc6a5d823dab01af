"""The logger `npnets`: silent unless a program sets up logging, and a line at the right level where one helps."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import standin_cupy

import npnets

pytestmark = pytest.mark.numpy_alone("is about what is written")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the lines so far, as pairs of level and text."""
    caplog.set_level(logging.DEBUG, "npnets")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "npnets"]


def test_nothing_is_printed_by_a_program_that_sets_up_no_logging() -> None:
    code = """
import logging, sys, npnets
assert 'npnets' not in logging.Logger.manager.loggerDict, 'the logger is made once it is needed'
from npnets.log import logger
logger().warning('a line')
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_program_that_sets_up_logging_gets_the_lines() -> None:
    code = """
import logging, npnets
logging.basicConfig(level='DEBUG', format='%(name)s %(levelname)s %(message)s')
from npnets.log import logger
logger().debug('a line')
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "npnets DEBUG a line\n")


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"failure": 100}, "CuPy is installed, but no GPU can be used: the NVIDIA driver finds none; "),
        ({"failure": 35, "driver": 0}, "CuPy is installed, but no GPU can be used: there is no NVIDIA driver here; "),
    ],
)
def test_a_cupy_without_a_gpu_is_logged_with_the_reason(lines: Any, machine: dict[str, Any], words: str) -> None:
    with standin_cupy.installed(**machine):
        assert npnets.backend.available() == ["cpu"]
    ((level, text),) = lines()
    assert level == "INFO" and text.startswith(words)


def test_a_cupy_that_does_not_load_is_logged(lines: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cupy.py").write_text("raise ImportError('libcuda is broken')")
    monkeypatch.syspath_prepend(tmp_path)
    assert npnets.backend.available() == ["cpu"]
    ((level, text),) = lines()
    assert level == "INFO" and "CuPy is installed, but does not load (libcuda is broken)" in text


def test_a_cupy_that_is_not_installed_is_not_logged(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert npnets.backend.available() == ["cpu"]
    assert lines() == []


def test_a_save_logs_a_file_that_it_replaces(lines: Any, tmp_path: Path) -> None:
    path = tmp_path / "actor.npz"
    npnets.checkpoint.save(path, {"w": numpy.ones(1)})
    assert lines() == []
    npnets.checkpoint.save(path, {"w": numpy.ones(1)})
    assert lines() == [("DEBUG", f"replaced {path}")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks on files")
def test_a_save_logs_the_file_that_a_killed_save_has_left(lines: Any, tmp_path: Path) -> None:
    left = tmp_path / ".actor.npz.0123456789abcdef.tmp"
    left.write_bytes(b"a part")
    npnets.checkpoint.save(tmp_path / "actor.npz", {"w": numpy.ones(1)})
    assert lines() == [("INFO", f"removed {left}, left behind by a save that was killed")]
    assert not left.exists()

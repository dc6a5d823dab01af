"""A save that is interrupted at any bytecode leaves no descriptor and no file; the file of a killed one is removed."""

from __future__ import annotations

import linecache
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoint_files import NEW, OLD, on_posix, same
from opcodes import Countdown, before_each_opcode

from npnets import checkpoint
from npnets.checkpoint import npz
from npnets.files import atomic_write

pytestmark = [
    pytest.mark.numpy_alone("files hold NumPy's arrays"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


class Interruption(BaseException):
    """What a signal handler raises, as Ctrl-C does."""


def _interrupt() -> None:
    raise Interruption


def _is_interrupted(path: Path, number: int) -> bool:
    """Save, interrupted at a bytecode; return whether there were as many."""
    countdown = Countdown(number, _interrupt)

    def act() -> None:
        frame = sys._getframe(2)  # behind this function and the one that traces
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno or 0).strip()
        if line != "any(closing)":  # Python looks for signals behind that one call alone
            countdown()

    try:
        with before_each_opcode(act, atomic_write, npz):
            checkpoint.save(path, NEW)
    except Interruption:
        return True
    return False


def _is_new(path: Path) -> bool:
    return same(checkpoint.load(path).params, NEW)


def _descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def _every_interruption(path: Path) -> Iterator[int]:
    number = 0
    while True:
        checkpoint.save(path, OLD)
        if not _is_interrupted(path, number):
            return
        yield number
        number += 1


@pytest.mark.slow
@on_posix
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's list of open files")
def test_a_save_interrupted_at_any_bytecode_leaves_no_descriptor_and_no_partial_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda *args: None)  # of objects that are interrupted as they go away
    path = tmp_path / "pi.npz"
    checkpoint.save(path, OLD)
    before, number = _descriptors(), -1
    for number in _every_interruption(path):
        assert len(_descriptors()) <= len(before), f"a descriptor is left open by an interruption at {number}"
        assert same(checkpoint.load(path).params, OLD) or _is_new(path), number
        checkpoint.save(path, OLD)  # removes what an interruption of the cleaning up itself may have left
        assert os.listdir(tmp_path) == ["pi.npz"], number
    assert number > 300  # the whole of a save was gone through


KILLED = """
import os, signal, sys
from npnets.checkpoint import npz
from npnets.files import atomic_write
def write(file):
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    {then}
atomic_write.replace(sys.argv[1], write)
"""


def _saving(path: Path, then: str) -> subprocess.Popen[str]:
    """Start a program that stops in the middle of a save."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", KILLED.format(then=then), str(path)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


@on_posix
def test_the_next_save_to_a_path_removes_the_temporary_file_of_a_killed_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pi.npz"
    process = _saving(path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert process.wait(60) == -signal.SIGKILL
    process.communicate()
    (left,) = os.listdir(tmp_path)
    others = [".pi.npz.tmp", ".pi.npz.0123.tmp", left.replace("pi", "qi"), left[:-4], f"x{left}"]
    for name in others:
        (tmp_path / name).write_bytes(b"a file of somebody's")
    checkpoint.save(path, NEW)
    assert _is_new(path)
    assert sorted(os.listdir(tmp_path)) == sorted(["pi.npz", *others])


@on_posix
def test_a_save_leaves_the_temporary_file_of_a_running_save_to_the_same_path(tmp_path: Path) -> None:
    path = tmp_path / "pi.npz"
    with _saving(path, "input()") as process:
        (writing,) = os.listdir(tmp_path)
        checkpoint.save(path, NEW)
        assert _is_new(path) and (tmp_path / writing).exists()
        process.communicate("go on\n", timeout=60)
    assert process.returncode == 0
    assert os.listdir(tmp_path) == ["pi.npz"] and path.read_bytes() == b"half"


@on_posix
def test_a_save_whose_file_was_taken_for_abandoned_before_it_was_locked_writes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = atomic_write.lock, []

    def late(opened: int, waits: bool) -> bool:
        if waits and not taken:
            taken.extend(tmp_path.glob(".pi*.tmp"))
            taken[0].unlink()
        return lock(opened, waits)

    monkeypatch.setattr(atomic_write, "lock", late)
    checkpoint.save(tmp_path / "pi.npz", NEW)
    assert taken and _is_new(tmp_path / "pi.npz")


def test_without_file_locks_saves_work_and_remove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_write, "fcntl", None)
    left = tmp_path / ".pi.npz.0123456789abcdef.tmp"
    left.touch()
    checkpoint.save(tmp_path / "pi.npz", NEW)
    assert _is_new(tmp_path / "pi.npz") and left.exists()

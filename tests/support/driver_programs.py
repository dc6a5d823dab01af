"""Starts programs that call `map_population`, and watches the processes of their tasks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def program(code: str, folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start a program in a session of its own, from a file, or with options of Python before its name."""
    path = folder / "program.py"
    path.write_text(code)
    return subprocess.Popen(
        [sys.executable, *(options or [str(path)]), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
        # Where the tests run in the background, they ignore interrupts, and so would the program.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def processes_of_tasks(folder: Path) -> list[int]:
    """Wait until two tasks have started, and return their processes."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        numbers = [path.read_text() for path in folder.glob("[0-3]")]
        if len(numbers) == 2 and all(numbers):
            return [int(number) for number in numbers]
        time.sleep(0.02)
    raise AssertionError("the tasks did not start")


def await_end(process: int) -> None:
    """Wait until a process that is no child of this one has ended."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {process} is still there")

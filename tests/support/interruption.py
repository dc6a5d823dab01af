"""Runs a program and presses Ctrl-C after it has begun to work, as a user of the examples does."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest


def interrupted_once(shown: bytes, example: Path, *options: str, on: str = "stderr") -> tuple[int, bytes]:
    """Start an example, press Ctrl-C after some text on a stream, and return its exit status and its errors."""
    if os.name != "posix":
        pytest.skip("Windows sends Ctrl-C to all processes of a console, the tests' own too")
    command = [sys.executable, "-u", str(example), *options]
    # A shell that runs the tests in the background has them ignore Ctrl-C, and the example would inherit that.
    default_handler = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, preexec_fn=default_handler) as process:
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        read = chunk = b"nothing yet"
        while chunk and shown not in read:
            chunk = os.read(getattr(process, on).fileno(), 4096)
            read += chunk
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        watchdog.cancel()
    return process.returncode, errors

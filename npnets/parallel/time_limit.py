"""The time limit of a task, enforced in the process that runs it, from the moment in which the task begins.

An alarm raises an exception in the task. A task that does not return to Python, such as a simulator that hangs in C,
does not see it: a little later its process ends, after writing where it hung to its standard error.
"""

import contextlib
import faulthandler
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

GRACE = 2.0
"""Seconds from the exception to the end of the process."""


class OverTime(BaseException):
    """A task ran longer than its time limit; no `Exception`, so that the task does not catch it by mistake."""


@contextlib.contextmanager
def time_limit(seconds: float | None, ends_process: bool) -> Iterator[None]:
    """Raise `OverTime` in a block that takes too long, and end the process if that does not help and it may end."""
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "a time limit needs the main thread of a process: use ProcessExecutor, RayExecutor or SerialExecutor "
            "instead of threads"
        )
    if ends_process:
        faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        with _alarm(seconds):
            yield
    finally:
        if ends_process:
            faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise `OverTime` after some seconds, where the system has alarms (Windows has none)."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise(number: int, frame: FrameType | None) -> None:
    raise OverTime

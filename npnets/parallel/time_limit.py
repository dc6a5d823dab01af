"""The time limit of a task, enforced in the process that runs it, from the moment in which the task begins.

An alarm raises an exception in the task. A task that does not return to Python, such as a simulator that hangs in C,
does not see it: a little later its process ends, after writing where it hung to its standard error.
"""

import contextlib
import faulthandler
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

GRACE = 2.0
"""Seconds from the exception to the end of the process."""

LONGEST = 1e7
"""The longest time limit in seconds: about four months; clocks of some systems overflow later."""

_STANDARD_ERROR = 2  # the number of its file: a task may have closed or replaced sys.stderr


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
        faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=_STANDARD_ERROR)
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
    began = time.monotonic()
    outer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # the alarm may ring at that very moment
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
            _restore_timer(outer, began)


def _restore_timer(timer: tuple[float, float], began: float) -> None:
    """Let an alarm ring in time that was set before, such as that of a task around this one."""
    delay, interval = timer
    if delay:
        signal.setitimer(signal.ITIMER_REAL, max(delay - (time.monotonic() - began), 0.001), interval)


def _raise(number: int, frame: FrameType | None) -> None:
    raise OverTime

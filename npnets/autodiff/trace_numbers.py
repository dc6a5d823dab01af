"""The numbers of traces: one counter for all threads, for autograd's own traces, and for every copy of this package.

A number is drawn without a lock. A lock would be held for ever by a thread that a signal handler interrupts and that
draws again in the handler, and in a child forked while another thread holds it.
"""

import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


class RisingTraces:
    """The source of autograd's traces: numbers that only rise.

    `number()` returns one larger than that of any trace that is open in any thread.
    """

    def __init__(self, first: int) -> None:
        self.number: Callable[[], int] = itertools.count(first).__next__  # one step of C code, under the global lock

    @contextlib.contextmanager
    def new_trace(self) -> Iterator[int]:
        """Give one of autograd's own traces its number."""
        yield self.number()


class LockedTraces(RisingTraces):
    """The same for a Python without the global lock: two threads could draw the same number from `itertools.count`.

    The lock may be taken again by the thread that holds it, as in a signal handler, and a forked child gets a new one.
    """

    def __init__(self, first: int) -> None:
        super().__init__(first)
        self._count, self.number = self.number, self._locked
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    def _locked(self) -> int:
        with self._lock:
            return self._count()


_has_global_lock = getattr(sys, "_is_gil_enabled", lambda: True)()


def install(tracer: Any) -> Any:
    """Have autograd's tracer draw from a counter of rising numbers, and return it.

    The counter of another copy of this package, or of this one before a reload, stays: the traces of both nest in each
    other, and differ in their numbers.
    """
    if not hasattr(tracer.trace_stack, "number"):
        tracer.trace_stack = (RisingTraces if _has_global_lock else LockedTraces)(tracer.trace_stack.top + 1)
    return tracer.trace_stack

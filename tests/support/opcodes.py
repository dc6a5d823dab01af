"""Runs a function before each bytecode instruction of chosen files, as a signal handler or a finalizer may."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any


@contextmanager
def before_each_opcode(act: Callable[[], None], *modules: ModuleType) -> Iterator[None]:
    """Call a function before each byte-code that this thread executes in the files of some modules.

    Nothing is traced while the function runs. An exception that it raises appears at the byte-code, and ends the
    tracing.
    """
    files = {module.__file__ for module in modules}

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            act()
        return follow

    sys._getframe().f_trace_opcodes = True  # Python 3.12 wants to know at `settrace` that any frame will ask for them
    previous = sys.gettrace()
    sys.settrace(follow)
    try:
        yield
    finally:
        sys.settrace(previous)


class Countdown:
    """Calls a function once, at the byte-code of some number, and counts the byte-codes."""

    def __init__(self, number: int, act: Callable[[], Any]) -> None:
        self.number, self.act, self.seen = number, act, 0

    def __call__(self) -> None:
        """Count a byte-code, and act if it is the chosen one."""
        self.seen += 1
        if self.seen == self.number + 1:
            self.act()

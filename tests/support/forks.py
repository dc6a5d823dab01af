"""Runs a function in a forked child, and returns whether it ends."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

PATIENCE = 60
"""Seconds after which a child that hangs is ended."""


def exit_code_in_child(run: Callable[[], Any]) -> int:
    """Return 0 if a function returns in a forked child, 1 if it raises, and -SIGALRM if it hangs."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)

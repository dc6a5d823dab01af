"""The program that runs the counted calls, plainly for Python calls, or inside Valgrind for instructions.

    NPNETS_COMPILED=avx2 python -m benchmarks.counts.counted python

It prints JSON. Inside Valgrind, a call of the C function `getpgid`, which nothing else calls, begins a new part of the
counts: before the first calls of each name, between its few and its many calls, and at the end.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.counts.calls import calls
from benchmarks.cpu.npnets_side import kernels

WARM = 10
"""Uncounted calls at first: Python specializes a function's code after some calls, and buffers are reused."""

FEW, MANY = 2, 6
"""Counted calls: the difference of their counts has `MANY - FEW` calls, and none of what surrounds them."""

OUTSIDE = os.path.dirname(np.__file__) + os.sep
INLINED = ("<listcomp>", "<dictcomp>", "<setcomp>")
"""Not counted, because they depend on versions: NumPy's own functions, and comprehensions, inlined by Python 3.12."""


def repeat(call: Callable[[], Any], times: int) -> None:
    """Make a call several times."""
    for _ in range(times):
        call()


def run_in_parts(named: dict[str, Callable[[], Any]]) -> None:
    """Make every call a few times and many times, each in a part of its own."""
    for call in named.values():
        repeat(call, WARM)
        os.getpgid(0)
        repeat(call, FEW)
        os.getpgid(0)
        repeat(call, MANY)
        os.getpgid(0)


def python_calls(call: Callable[[], Any]) -> int:
    """Return how many Python functions a call calls, itself included."""
    found = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal found
        code = frame.f_code
        found += event == "call" and code.co_name not in INLINED and not code.co_filename.startswith(OUTSIDE)

    repeat(call, WARM)
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


def main() -> None:
    """Run, and print the names of the calls, or their counts of Python calls, and the kernels in use."""
    named = calls()
    gc.collect()
    gc.disable()
    if sys.argv[1] == "python":
        counts: Any = {name: python_calls(call) for name, call in named.items()}
    else:
        run_in_parts(named)
        counts = list(named)
    print(json.dumps({"kernels": kernels(), "counts": counts}))


if __name__ == "__main__":
    main()

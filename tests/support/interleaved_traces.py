"""An interleaving of two threads in which plain autograd confuses their traces."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from backends import as_numpy, device, on_backend

PATIENCE = 60.0
"""Seconds after which a test in a deadlock fails."""


def interleaved(grad: Callable[..., Any], other_grad: Any = None, inner_grad: Any = None) -> float:
    """Differentiate `x * d/dy (x * y)` at 3 in one thread, while another thread leaves its trace in between.

    The derivative is that of `x * x`, so 6. The other thread's trace is opened before this one's outer trace, and left
    between this one's outer and inner; it, and the inner one, may be made by another package.
    """
    other_opened, outer_opened, other_left = threading.Event(), threading.Event(), threading.Event()

    def other(x: Any) -> Any:
        other_opened.set()
        assert outer_opened.wait(PATIENCE)
        return x * x

    def run_other() -> None:
        assert as_numpy((other_grad or grad)(other)(number(2.0))) == 4.0
        other_left.set()

    def outer(x: Any) -> Any:
        outer_opened.set()
        assert other_left.wait(PATIENCE)
        return (inner_grad or grad)(lambda y: x * y)(number(5.0)) * x

    thread = threading.Thread(target=run_other)
    thread.start()
    assert other_opened.wait(PATIENCE)
    output = grad(outer)(number(3.0))
    thread.join(PATIENCE)
    return float(as_numpy(output))


def number(value: float) -> Any:
    """Return a Python float on NumPy, and an array without axes on a GPU."""
    return value if device() == "cpu" else on_backend(np.asarray(value))

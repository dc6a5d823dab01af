"""The process of one side: it begins a training, times its steps, and evaluates its policy.

`__main__.py` starts it for each side, as a module of `benchmarks/harness/one_side.py`. Times are those of the
processor, of all threads of the process.
"""

from __future__ import annotations

import importlib
import os
import time

from benchmarks.learning.problem import evaluate_policy
from benchmarks.training.problem import Training

_running: dict[str, Training] = {}


def begin(side: str, algorithm: str, steps: int) -> list[float]:
    """Begin a training with untimed steps, which include compilation; return the untrained policy's returns."""
    hold_to_one_core()
    training = importlib.import_module(f"benchmarks.training.{side}_side").Training(algorithm)
    _running["training"] = training
    untrained = returns()
    training.advance(steps)
    return untrained


def hold_to_one_core() -> None:
    """Hold this process to one core, where the system can: XLA has threads beside the one that its flags allow.

    On two cores they hand work over to each other, which takes SBX a quarter more processor time, and twice as much
    beside other programs.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def milliseconds(steps: int) -> float:
    """Take steps, and return the milliseconds of processor time of one."""
    began = time.process_time()
    _running["training"].advance(steps)
    return (time.process_time() - began) * 1e3 / steps


def returns() -> list[float]:
    """Return the returns of the policy in the evaluation episodes."""
    return [round(float(earned), 2) for earned in evaluate_policy(_running["training"].act)]

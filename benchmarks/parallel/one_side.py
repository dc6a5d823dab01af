"""The process of one engine: the driver of the tasks that are timed.

`__main__.py` starts it for each engine, as a module of `benchmarks/harness/one_side.py`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.parallel import problem
from benchmarks.parallel.engines import CountingExecutor, make, one_at_a_time
from npnets import parallel

_executors: dict[int, Any] = {}
"""The executors of this process, by number of workers."""


def begin(engine: str, workers: int) -> float:
    """Start an engine, and return the seconds until its first result, without the import of this module."""
    began = time.perf_counter()
    _executors[workers] = make(engine, workers)
    parallel.map_population(problem.square, [1], _executors[workers])
    return time.perf_counter() - began


def begin_one(engine: str, workers: int) -> None:
    """Start one worker beside the others."""
    _executors[1] = one_at_a_time(engine, workers)


def end() -> None:
    """Stop all workers."""
    for executor in _executors.values():
        executor.shutdown()
    _executors.clear()


def milliseconds(kind: str, workers: int, tasks: int) -> float:
    """Return the milliseconds of a call with the 288 KB tree, divided by its number of tasks."""
    _wait_for_all(workers)
    began = time.perf_counter()
    problem.map_tree(kind, tasks, _executors[workers])
    return (time.perf_counter() - began) * 1e3 / tasks


def play(workers: int, tasks: int) -> float:
    """Return the seconds of a call whose tasks compute for about 50 ms each."""
    params = problem.POLICY.init(np.random.default_rng(0))
    parallel.map_population(problem.play_episodes, range(4), _executors[workers], seed=0, shared=params)
    began = time.perf_counter()
    parallel.map_population(problem.play_episodes, range(tasks), _executors[workers], seed=0, shared=params)
    return time.perf_counter() - began


def recover(workers: int) -> float:
    """Let a worker be killed, and return the seconds from its death to the result of its task."""
    _wait_for_all(workers)
    with tempfile.TemporaryDirectory() as folder:
        (died,) = parallel.map_population(problem.die_once, [str(Path(folder) / "died")], _executors[workers])
    return time.time() - died


def travelling(kind: str, tasks: int) -> dict[str, float]:
    """Return the bytes that travel for each task with the tree, there and back."""
    with CountingExecutor(1) as executor:
        problem.map_tree(kind, tasks, executor)
    return {"sent": executor.sent / tasks, "received": executor.received / tasks}


def _wait_for_all(workers: int) -> None:
    """Wait until all workers of an executor have started."""
    parallel.map_population(problem.square, range(10 * workers), _executors[workers])

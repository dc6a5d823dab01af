"""The engines that are measured, and an executor that counts the bytes of tasks and results."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from npnets import parallel

ENGINES = {"processes": "ProcessExecutor", "ray": "RayExecutor", "threads": "ThreadPoolExecutor"}
"""Every engine, with the name of its executor."""

ON_PROCESSES = ("processes", "ray")
"""The engines whose workers are processes: threads of Python compute in turn, and do not die."""


def make(engine: str, workers: int) -> Any:
    """Return an executor with some workers."""
    if engine == "threads":
        return ThreadPoolExecutor(workers)
    if engine == "ray":
        return parallel.RayExecutor("local", num_cpus=workers, include_dashboard=False)
    return parallel.ProcessExecutor(workers)


def one_at_a_time(engine: str, workers: int) -> Any:
    """Return another executor, which runs one task at a time; on Ray, each reserves all CPUs."""
    return parallel.RayExecutor(cpus_per_task=workers) if engine == "ray" else make(engine, 1)


class CountingExecutor(parallel.ProcessExecutor):
    """Processes, and the bytes of the tasks that were sent to them and of the results that came back."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.sent = self.received = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sent += len(pickle.dumps((fn, args, kwargs), protocol=5))
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._count)
        return future

    def _count(self, done: Future[Any]) -> None:
        self.received += len(pickle.dumps(done.result(), protocol=5))

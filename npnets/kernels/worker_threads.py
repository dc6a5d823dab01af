"""Threads that compute tasks of one call side by side, and the number of them that a user asks for.

An interrupt (Ctrl-C) may come between any two byte-codes, and a fork at any time: the only state outside of one call is
a context variable, a queue of tasks, whose `put` and `get` are atomic, and threads that read from it. They are no
`threading.Thread`, whose own locks an interrupt can leave locked.
"""

import _thread
import contextlib
import contextvars
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from npnets.blas import check_one_thread
from npnets.caches import bounded_cache
from npnets.description import size
from npnets.log import logger

T = TypeVar("T")
_Outcome: TypeAlias = tuple[Any, BaseException | None]  # the result of a task, or its exception

chosen_threads: contextvars.ContextVar[int] = contextvars.ContextVar("npnets_batch_threads", default=1)
"""The number of threads of the present `batch_threads`; one outside of it."""


@contextlib.contextmanager
def batch_threads(number: int) -> Iterator[None]:
    """Divide a recurrent network's large batches among threads, inside a `with` block and on NumPy.

    BLAS has to run on one thread, because its own threads would compete with these for the same cores: call
    `npnets.threads(1)` once at the start of the program. The block changes nothing outside of the thread or task that
    enters it. Each thread has a buffer pool of its own.

    Parameters
    ----------
    number : int
        How many threads, as many as there are cores to use; with one, batches stay whole.

    Raises
    ------
    TypeError, ValueError
        If it is no positive integer.
    RuntimeError
        If BLAS runs on several threads.
    """
    number = size("the number of threads", number)
    if number > 1:
        check_one_thread(f"batch_threads({number})", number)
    before = chosen_threads.get()
    try:
        chosen_threads.set(number)  # in here, so that it is undone too if Ctrl-C comes right after it
        yield
    finally:
        chosen_threads.set(before)


_tasks: SimpleQueue[Any] = SimpleQueue()
_alive: list[None] = []  # one entry for each worker, added and removed by its own thread


def _forget_parent() -> None:
    """Forget the threads and tasks of the parent process, which a forked child does not have."""
    global _tasks, _alive
    _tasks, _alive = SimpleQueue(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def run_together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of tasks, the first of which is computed in this thread and each other one in a worker.

    If an interrupt ends the wait, the workers finish the tasks that they have begun, in arrays that no one else uses.
    """
    workers = len(tasks) - 1
    if sys.is_finalizing() or not _are_ready(workers):
        return [task() for task in tasks]
    outcomes: list[SimpleQueue[_Outcome]] = [SimpleQueue() for _ in range(workers)]
    for outcome, task in zip(outcomes, tasks[1:], strict=True):
        context = contextvars.copy_context()  # with this thread's settings, such as `numpy.errstate`
        context.run(chosen_threads.set, 1)  # a finalizer in a worker must not wait for that worker
        _tasks.put((outcome, context, task))
    return [tasks[0](), *_results([outcome.get() for outcome in outcomes])]


def _are_ready(workers: int) -> bool:
    """Start workers until there are enough, and return whether there is any: the system may start no more threads."""
    try:
        for _ in range(workers - len(_alive)):
            started: SimpleQueue[None] = SimpleQueue()
            _thread.start_new_thread(_run_tasks, (_tasks, _alive, started))
            started.get()
    except RuntimeError:
        _warn_of_missing_threads(1 + len(_alive))
        return len(_alive) > 0
    return True


@bounded_cache(maxsize=64)
def _warn_of_missing_threads(number: int) -> None:
    logger().warning("the system starts no more threads: npnets.batch_threads runs on %d", number)


def _run_tasks(tasks: SimpleQueue[Any], alive: list[None], started: SimpleQueue[None]) -> None:
    """Run tasks for ever; a worker that waits for the next one references no array."""
    alive.append(None)
    try:
        started.put(None)
        while True:
            outcomes, context, task = tasks.get()
            outcome = _outcome(context, task)
            del context, task
            outcomes.put(outcome)
            del outcomes, outcome
    finally:
        alive.pop()


def _outcome(context: contextvars.Context, task: Callable[[], object]) -> _Outcome:
    try:
        return context.run(task), None
    except BaseException as error:  # raised by the thread that waits for the result
        return None, error


def _results(outcomes: list[_Outcome]) -> list[Any]:
    error = next((error for _, error in outcomes if error is not None), None)
    if error is None:
        return [result for result, _ in outcomes]
    try:
        raise error
    finally:
        outcomes, error = [], None  # the traceback holds this frame, which would hold it in turn, with all its arrays

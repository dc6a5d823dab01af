"""The rows of a large batch shared out to threads, where a user asks for it.

Left to itself, BLAS computes each product on all its threads, and what lies between the products is done by one. For a
large batch it is quicker to give every thread rows of its own from the first product to the last. A kernel says along
which axes its arrays have their rows; its forward and backward are then called for all rows, or for a share of them.

Which rows make a share depends on the number of threads and of rows alone, so that results have the same bits from run
to run. Nothing is shared out unasked, because BLAS must run on one thread for it, in the whole process.

An interrupt (Ctrl-C) may come between any two byte-codes, and a fork at any time: the only state outside of one call is
a context variable, a queue of tasks, whose `put` and `get` are atomic, and threads that read from it. They are no
`threading.Thread`, whose own locks an interrupt can leave locked.
"""

import _thread
import contextlib
import contextvars
import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from npnets.backend import Array
from npnets.blas import check_one_thread
from npnets.caches import bounded_cache
from npnets.description import size
from npnets.kernels.buffers import scratch, side_by_side
from npnets.log import logger

FEWEST = 64
"""Fewer rows are not worth a thread of their own."""

LEAST_WORK = 1 << 24
"""Multiplications that are worth a thread: about a third of a millisecond, of which sharing out takes a fifth."""

_threads: contextvars.ContextVar[int] = contextvars.ContextVar("npnets_batch_threads", default=1)


@contextlib.contextmanager
def batch_threads(number: int) -> Iterator[None]:
    """Share out a recurrent network's large batches to threads, inside of a `with` block and on NumPy.

    BLAS has to run on one thread, because its own threads would compete with these for the same cores: call
    `npnets.threads(1)` once at the start of the program. The block changes nothing outside of the thread or task that
    enters it. Each thread keeps memory of its own.

    Parameters
    ----------
    number : int
        How many threads, as many as there are cores to use; one shares nothing out.

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
    before = _threads.get()
    try:
        _threads.set(number)  # in here, so that it is undone too if Ctrl-C comes right after it
        yield
    finally:
        _threads.set(before)


class Rows(NamedTuple):
    """The axes along which a kernel's arrays have their rows: arguments by position, static ones by name, answers."""

    arguments: Mapping[int, int]
    static: Mapping[str, int]
    answers: Sequence[int]


class _Saved(NamedTuple):
    """The rows of each share, and what the forward saved of it."""

    shares: list[slice]
    parts: list[Any]


class SharedOut:
    """The functions of a kernel with several answers, as `fused` takes them, which share out large batches.

    Parameters
    ----------
    rows : Rows
    work : callable
        From the kernel's arguments to how many multiplications a row needs.
    forward, backward, evaluate : callable
        Of the kernel. Cotangents of arguments without rows are sums over rows.
    """

    def __init__(
        self,
        rows: Rows,
        work: Callable[..., int],
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        evaluate: Callable[..., Any],
    ) -> None:
        self._rows, self._work = rows, work
        self._forward, self._backward, self._evaluate = forward, backward, evaluate

    def forward(self, *args: Any, **static: Any) -> Any:
        """Return the answers and what the backward needs."""
        shares = self._shares(args)
        if not shares:
            return self._forward(*args, **static)
        done = _together([self._task(self._forward, share, args, static) for share in shares])
        return self._joined([answers for answers, _ in done]), _Saved(shares, [saved for _, saved in done])

    def evaluate(self, *args: Any, **static: Any) -> Any:
        """Return the answers alone."""
        shares = self._shares(args)
        if not shares:
            return self._evaluate(*args, **static)
        return self._joined(_together([self._task(self._evaluate, share, args, static) for share in shares]))

    def backward(
        self, g: list[Array | None], saved: Any, wanted: tuple[int, ...], *args: Any, **static: Any
    ) -> tuple[Array, ...]:
        """Return the cotangents of the wanted arguments."""
        if not isinstance(saved, _Saved):
            return self._backward(g, saved, wanted, *args, **static)
        tasks = []
        for share, part in zip(saved.shares, saved.parts, strict=True):
            of_share = functools.partial(self._backward, self._cotangents(g, share), part, wanted)
            tasks.append(self._task(of_share, share, args, static))
        return tuple(map(self._whole, wanted, zip(*_together(tasks), strict=True)))

    def _shares(self, args: tuple[Any, ...]) -> list[slice] | None:
        threads = _threads.get()
        if threads < 2 or type(args[0]) is not np.ndarray:
            return None
        number = args[0].shape[self._rows.arguments[0]]
        if number // threads < FEWEST or number // threads * self._work(*args) < LEAST_WORK:
            logger().debug("%d rows are too few, or too little work, to be shared out to %d threads", number, threads)
            return None
        ends = [number * part // threads for part in range(threads + 1)]
        return [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]

    def _task(self, run: Callable[..., Any], share: slice, args: tuple[Any, ...], static: dict[str, Any]) -> Any:
        own = [_cut(arg, self._rows.arguments.get(index), share) for index, arg in enumerate(args)]
        return functools.partial(run, *own, **{k: _cut(v, self._rows.static.get(k), share) for k, v in static.items()})

    def _cotangents(self, g: list[Array | None], share: slice) -> list[Array | None]:
        return [_cut(part, axis, share) for part, axis in zip(g, self._rows.answers, strict=True)]

    def _joined(self, parts: list[tuple[Array, ...]]) -> tuple[Array, ...]:
        return tuple(map(side_by_side, zip(*parts, strict=True), self._rows.answers))

    def _whole(self, index: int, parts: Sequence[Array]) -> Array:
        axis = self._rows.arguments.get(index)
        return functools.reduce(_sum, parts) if axis is None else side_by_side(parts, axis)


def _cut(array: Any, axis: int | None, share: slice) -> Any:
    return array if array is None or axis is None else array[tuple([slice(None)] * axis + [share])]


def _sum(total: Array, part: Array) -> Array:
    return np.add(total, part, out=scratch(total, total.shape))


# -- threads ----------------------------------------------------------------------------------------------------------

_tasks: SimpleQueue[Any] = SimpleQueue()
_alive: list[None] = []  # an entry for each worker: its thread adds it and takes it away


def _start_afresh() -> None:
    """Forget the threads and tasks of the parent process: a forked child has neither."""
    global _tasks, _alive
    _tasks, _alive = SimpleQueue(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)


def _together(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return the results of tasks, the first of which is computed in this thread and each other one in a worker.

    If an interrupt ends the wait, the workers finish what they have begun, in arrays that nobody else uses.
    """
    helpers = len(tasks) - 1
    if sys.is_finalizing() or not _are_ready(helpers):
        return [task() for task in tasks]
    outcomes: SimpleQueue[_Outcome] = SimpleQueue()
    for place, task in enumerate(tasks[1:]):
        context = contextvars.copy_context()  # with this thread's settings, such as `numpy.errstate`
        context.run(_threads.set, 1)  # a finalizer that runs in a worker must not wait for that worker
        _tasks.put((outcomes, place, context, task))
    return [tasks[0](), *_results([outcomes.get() for _ in range(helpers)])]


def _are_ready(helpers: int) -> bool:
    """Start workers until there are enough, and tell whether there is any: the system may give no more threads."""
    try:
        for _ in range(helpers - len(_alive)):
            started: SimpleQueue[None] = SimpleQueue()
            _thread.start_new_thread(_work, (_tasks, _alive, started))
            started.get()
    except RuntimeError:
        _say_that_threads_are_missing(1 + len(_alive))
        return len(_alive) > 0
    return True


@bounded_cache(maxsize=64)
def _say_that_threads_are_missing(number: int) -> None:
    logger().warning("the system starts no more threads: npnets.batch_threads goes on with %d", number)


class _Outcome(NamedTuple):
    """The result of a task or its exception, and the task's place among all."""

    place: int
    result: Any
    error: BaseException | None


def _work(tasks: SimpleQueue[Any], alive: list[None], started: SimpleQueue[None]) -> None:
    """Do tasks for ever; while it waits for the next one, a worker holds no reference to a buffer."""
    alive.append(None)
    try:
        started.put(None)
        while True:
            outcomes, place, context, task = tasks.get()
            outcome = _done(place, context, task)
            del context, task
            outcomes.put(outcome)
            del outcomes, outcome
    finally:
        alive.pop()


def _done(place: int, context: contextvars.Context, task: Callable[[], Any]) -> _Outcome:
    try:
        return _Outcome(place, context.run(task), None)
    except BaseException as error:  # whatever it is, the thread that waits for the result raises it
        return _Outcome(place, None, error)


def _results(outcomes: list[_Outcome]) -> list[Any]:
    outcomes.sort(key=lambda outcome: outcome.place)
    error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    if error is None:
        return [outcome.result for outcome in outcomes]
    try:
        raise error
    finally:
        outcomes, error = [], None  # the traceback holds this frame, which would hold it in turn, with all its arrays

"""The rows of a large batch shared out to threads, where a user asks for it.

Left to itself, BLAS computes each product on all its threads, and what lies between the products is done by one. For a
large batch it is quicker to give every thread rows of its own from the first product to the last. A kernel says along
which axes its arrays have their rows; its forward and backward are then called for all rows, or for a share of them.

Which rows make a share depends on the number of threads and of rows alone, so that results have the same bits from run
to run. Nothing is shared out unasked, because BLAS must be held to one thread for it, in the whole process.
"""

import contextlib
import contextvars
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npnets.backend import Array
from npnets.kernels.workspace import room, side_by_side

FEWEST = 64
"""Fewer rows are not worth a thread of their own."""

LEAST_WORK = 1 << 24
"""Multiplications that are worth a thread: about a third of a millisecond, of which sharing out takes a fifth."""

_threads: contextvars.ContextVar[int] = contextvars.ContextVar("npnets_batch_threads", default=1)


@contextlib.contextmanager
def batch_threads(number: int) -> Iterator[None]:
    """Share out a recurrent network's large batches to threads, inside of a `with` block and on NumPy.

    BLAS is held to one thread meanwhile, in the whole process, and gets back afterwards what it had: whatever else is
    computed in the block has one thread. Each thread keeps memory of its own.

    Parameters
    ----------
    number : int
        How many threads, as many as there are cores to use.

    Raises
    ------
    TypeError, ValueError
        If it is no positive integer.
    ImportError
        If `threadpoolctl` is not installed.
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"batch_threads takes a number of threads, but got {number!r}")
    if number < 1:
        raise ValueError(f"batch_threads takes a positive number of threads, but got {number}")
    with _blas().limit(limits=1):
        before = _threads.set(int(number))
        try:
            yield
        finally:
            _threads.reset(before)


@functools.cache
def _blas() -> Any:
    """Return what holds BLAS to a number of threads; to look for the libraries takes milliseconds."""
    try:
        from threadpoolctl import ThreadpoolController  # here, as without `batch_threads` nobody needs it
    except ImportError as error:
        raise ImportError(
            "batch_threads needs threadpoolctl, to hold BLAS to one thread: pip install threadpoolctl"
        ) from error
    return ThreadpoolController().select(user_api="blas")


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
            return self._backward(g, saved, wanted, *args, **static)  # type: ignore[no-any-return]
        tasks = []
        for share, part in zip(saved.shares, saved.parts, strict=True):
            of_share = functools.partial(self._backward, self._cotangents(g, share), part, wanted)
            tasks.append(self._task(of_share, share, args, static))
        return tuple(map(self._whole, wanted, zip(*_together(tasks), strict=True)))

    def _shares(self, args: tuple[Any, ...]) -> list[slice] | None:
        number = args[0].shape[self._rows.arguments[0]]
        if number < 2 * FEWEST or type(args[0]) is not np.ndarray:
            return None
        threads = _threads.get()
        if threads < 2:
            return None
        work = self._work(*args)
        if number // threads < FEWEST or number // threads * work < LEAST_WORK:
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
    return np.add(total, part, out=room(total, total.shape))  # type: ignore[no-any-return]


# -- threads ----------------------------------------------------------------------------------------------------------


def _together(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what tasks answer, each of which has a thread of its own; the first has this one."""
    others = [_started(task, len(tasks) - 1) for task in tasks[1:]]
    return [tasks[0](), *(answer() for answer in others)]


def _started(task: Callable[[], Any], helpers: int) -> Callable[[], Any]:
    """Start a task with the settings of this thread, such as `numpy.errstate`; return what waits for its answer."""
    pool = _pool(os.getpid(), helpers)
    try:
        return pool.submit(contextvars.copy_context().run, task).result  # type: ignore[no-any-return]
    except RuntimeError:  # the interpreter is about to end, and starts nothing any more
        return task


@functools.lru_cache(maxsize=1)
def _pool(process: int, helpers: int) -> Any:
    """Return the threads that work beside the one that asks; a forked process has none of its parent's."""
    from concurrent.futures import ThreadPoolExecutor  # here, as without `batch_threads` nobody needs it

    return ThreadPoolExecutor(helpers, thread_name_prefix="npnets")

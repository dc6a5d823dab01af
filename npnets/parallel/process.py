"""One process of this machine that runs the tasks of a `ProcessExecutor`, and what it does before the first of them."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait

from npnets.thread_count import threads


class Process:
    """A process, in a pool of its own; it starts at the first call, or before."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._pid: Future[int] = Future()

    def __str__(self) -> str:
        return f"process {self._pid.result()}" if self.started else "a process that was starting"

    @property
    def started(self) -> bool:
        """Whether it has run anything."""
        return _known(self._pid)

    def start(self) -> ProcessPoolExecutor:
        """Start it, unless it has been started, and return its pool."""
        with self._starting:
            if self._pool is None:
                # The first pool of a program starts the resource tracker of multiprocessing, which unblocks SIGINT.
                pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _prepare)
                with _without_interrupts():
                    self._pid, self._pool = pool.submit(os.getpid), pool
            return self._pool

    def submit(self, call: bytes) -> Future[bytes]:
        """Call a function in it, after all calls before; function, arguments and result are pickled."""
        return self.start().submit(_called, call)

    def kill(self) -> None:
        """Kill it at once, or, if it is still starting, as soon as it has started."""
        self.shutdown(wait=False, cancel_futures=True)
        self._pid.add_done_callback(_kill)

    def shutdown(self, wait: bool, cancel_futures: bool = False) -> None:
        """End it once its calls are done."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


def _called(call: bytes) -> bytes:
    """Call a pickled function in this process: the pool would break where something cannot be unpickled."""
    fn, args, kwargs = pickle.loads(call)
    return pickle.dumps(fn(*args, **kwargs), protocol=5)


def _known(pid: "Future[int]") -> bool:
    return pid.done() and not pid.cancelled() and pid.exception() is None


def _kill(pid: "Future[int]") -> None:
    if _known(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid.result(), getattr(signal, "SIGKILL", signal.SIGTERM))


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while a process is made: it inherits this, so that it is safe before `_prepare`."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare() -> None:
    """Prepare a new process: one thread, no Ctrl-C, and an end with the process that made it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

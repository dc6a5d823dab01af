"""The processes of this machine as an executor that survives the death of a worker.

Each worker is a `ProcessPoolExecutor` of one process, which has one call at a time: a process that dies takes along
only that call, and a new one takes its place. All other calls wait in one queue for the next process that is free.
"""

import contextlib
import os
import pickle
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent import futures as concurrent_futures
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from npnets.description import size
from npnets.installation import cores
from npnets.parallel.failures import WorkerLost
from npnets.parallel.mapped_tree import MappedTree, remove_abandoned
from npnets.parallel.process import Process
from npnets.parallel.sending import REMEDY, check_importable, check_picklable, first_line
from npnets.parallel.stopping_executor import StoppingExecutor


class ProcessExecutor(StoppingExecutor):
    """Processes of this machine, each with one task at a time.

    Start one for a whole program, because processes take about a second to start. A script that makes one needs
    `if __name__ == "__main__":` around what it runs, because every process imports it.

    Parameters
    ----------
    workers : int, optional
        How many processes; by default as many as there are cores that this process may use.

    Raises
    ------
    TypeError, ValueError
        If `workers` is no positive integer.
    RuntimeError
        If the running program is no file, which processes could import.

    Notes
    -----
    Each process takes one thread for kernels and BLAS, as after `npnets.threads(1)`, ignores Ctrl-C, and ends with the
    process that made it, even if that is killed. A tree that all tasks need is written once for a call to the folder
    for temporary files, and mapped into the memory of each process.
    """

    ends_process = True

    def __init__(self, workers: int | None = None) -> None:
        _check_main_is_a_file()
        remove_abandoned()
        self.workers = cores() if workers is None else size("workers", workers)
        # Callbacks of a pool run under the pool's lock and take this one: a pool is never called with this one held.
        # It is reentrant, because Python may collect a generator, which calls `stop`, while this very thread holds it.
        self._lock = threading.RLock()
        self._closed = False
        self._waiting: deque[_Call] = deque()
        self._running: dict[Process, _Call | None] = {Process(): None for _ in range(self.workers)}
        for process in self._running:
            process.start()

    def __repr__(self) -> str:
        return f"ProcessExecutor({self.workers})"

    @property
    def window(self) -> int:
        """How many tasks keep all processes busy: for each, one that runs and one that waits."""
        return 2 * self.workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in the next process that has nothing to do.

        Returns
        -------
        concurrent.futures.Future
            Its exception is a `WorkerLost` if the process died while it ran this call.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            pickled = pickle.dumps((fn, args, kwargs), protocol=5)
        except Exception as error:
            future.set_exception(error)
        else:
            self._add(_Call(future, pickled))
        return future

    def share(self, common: tuple[Callable[..., Any], Any]) -> MappedTree:
        """Write a function and the tree that all its calls need to a file, which the processes map."""
        check_importable(common[0])
        try:
            return MappedTree(common)
        except OSError as error:
            folder = tempfile.gettempdir()
            reason = f"shared cannot be written to {folder} ({first_line(error)}): free space there, or set TMPDIR"
            raise OSError(error.errno, reason) from None
        except Exception as error:
            check_picklable(common[0])  # only now, to tell which of the two it is
            raise TypeError(f"shared cannot be sent to another process ({first_line(error)}): {REMEDY}") from None

    def release(self, shared: MappedTree) -> None:
        """Remove the file of `share`."""
        shared.remove()

    def stop(self, futures: Collection[Future[Any]]) -> None:
        """Drop the calls with these futures, which then raise `WorkerLost`; processes that run one are replaced."""
        with self._lock:
            dropped = [call for call in self._waiting if call.future in futures]
            self._waiting = deque(call for call in self._waiting if call.future not in futures)
            running = [(process, call) for process, call in self._running.items() if call and call.future in futures]
        for call in dropped:
            call.fail(WorkerLost("stopped before it ran"))
        for process, call in running:
            self._soon(self._replace, process, call, True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once all calls are done; with `cancel_futures`, drop the calls."""
        with self._lock:
            self._closed = True
            futures = {call.future for call in (*self._waiting, *self._running.values()) if call}
        if cancel_futures:
            self.stop(futures)
        if sys.is_finalizing():  # no thread starts any more
            for process in self._running:
                process.shutdown(wait=False)
        elif wait:
            self._end(futures)
        else:
            threading.Thread(target=self._end, args=(futures,)).start()

    def _end(self, futures: Collection[Future[Any]]) -> None:
        """End the processes once some calls are done."""
        try:
            concurrent_futures.wait(futures)
            with ThreadPoolExecutor(self.workers) as threads:  # all end at the same time
                for process in [*self._running]:
                    threads.submit(process.shutdown, wait=True)
        except KeyboardInterrupt:
            self.stop(futures)
            raise

    def _add(self, call: "_Call") -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("this ProcessExecutor was shut down: make a new one")
            self._waiting.append(call)
        try:
            self._start_calls()
        except KeyboardInterrupt:  # in a session that goes on: nobody has the future
            self.stop({call.future})
            self._soon(self._start_calls)
            raise

    def _start_calls(self) -> None:
        """Give the calls that wait to the processes that have none."""
        while (pair := self._next_pair()) is not None:
            self._start(*pair)

    def _next_pair(self) -> "tuple[Process, _Call] | None":
        with self._lock:
            process = next((process for process, call in self._running.items() if call is None), None)
            if process is None or not self._waiting:
                return None
            call = self._running[process] = self._waiting.popleft()
            return process, call

    def _start(self, process: Process, call: "_Call") -> None:
        try:
            done = process.submit(call.pickled)
        except BrokenProcessPool:  # it died while it was idle
            self._replace(process, call, never_ran=True)
        except RuntimeError as error:  # the program ends
            self._release_process(process, call)
            call.fail(WorkerLost(str(error)))
        except KeyboardInterrupt:
            self._replace(process, call, kill=True, never_ran=True)
            raise
        else:
            done.add_done_callback(lambda done: self._finish(process, call, done))

    def _finish(self, process: Process, call: "_Call", done: "Future[bytes]") -> None:
        """Pass on the result or the error of a call, and start the next one."""
        if done.cancelled():  # stopped
            return
        if isinstance(done.exception(), BrokenProcessPool):
            self._soon(self._replace, process, call)
        elif self._release_process(process, call):
            self._start_calls()
            call.settle(done)

    def _release_process(self, process: Process, call: "_Call") -> bool:
        """Return whether a process still had this call; now it has none."""
        with self._lock:
            if self._running.get(process) is not call:  # stopped
                return False
            self._running[process] = None
            return True

    def _soon(self, method: Callable[..., None], *args: Any) -> None:
        """Call a method in a thread of its own, since this one may hold the lock of a pool."""
        if not sys.is_finalizing():  # when all processes end, and no thread starts
            threading.Thread(target=method, args=args, daemon=True).start()

    def _replace(self, process: Process, call: "_Call", kill: bool = False, never_ran: bool = False) -> None:
        """Replace a process that died or is stopped, if it still has this call, which is lost unless it never ran."""
        with self._lock:
            if self._running.get(process) is not call:
                return
            del self._running[process]
            if never_ran:
                self._waiting.appendleft(call)
            if self._waiting or not self._closed:
                self._running[Process()] = None
        if kill:
            process.kill()
        if not never_ran:
            lost = f"{process} {'was stopped' if kill else 'died'}"
            call.fail(WorkerLost(lost, was_starting=not process.started))
            self._start_calls()


@dataclass(frozen=True, eq=False)
class _Call:
    """A pickled call and its future."""

    future: Future[Any]
    pickled: bytes

    def settle(self, done: "Future[bytes]") -> None:
        """Set the result or the error that came of it."""
        try:
            result = pickle.loads(done.result())
        except BaseException as error:
            self.fail(error)
        else:
            with contextlib.suppress(InvalidStateError):  # stopped at the same moment
                self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Set the error, unless the call was stopped at the same moment."""
        with contextlib.suppress(InvalidStateError):
            self.future.set_exception(error)


def _check_main_is_a_file() -> None:
    """Check that a process that starts finds the program, which it imports."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is not None and not os.path.exists(path):
        raise RuntimeError(
            f"ProcessExecutor starts processes that import the running program, but {path!r} is no file: write the "
            "program to a file and run that, or use SerialExecutor"
        )

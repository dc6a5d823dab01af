"""The processes of this machine as an executor that survives the death of a worker.

Each worker is a `ProcessPoolExecutor` of one process. A process that dies takes along only the task that it ran: those
that waited behind it go to other processes, and a new one takes its place.
"""

import contextlib
import itertools
import os
import pickle
import sys
import tempfile
import threading
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
from npnets.parallel.sending import REMEDY, check_function, first_line
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
        # Never held while a pool is called, whose own lock its callbacks hold. Python may collect a generator, which
        # calls `stop`, while this very thread holds it.
        self._lock = threading.RLock()
        self._closed = False
        self._calls: dict[Process, list[_Call]] = {Process(): [] for _ in range(self.workers)}
        for process in self._calls:
            process.start()

    def __repr__(self) -> str:
        return f"ProcessExecutor({self.workers})"

    @property
    def window(self) -> int:
        """How many tasks keep all processes busy: for each, one that runs and one that waits."""
        return 2 * self.workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in the process that has the fewest calls.

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
            self._send(_Call(future, pickled))
        return future

    def share(self, common: tuple[Callable[..., Any], Any]) -> MappedTree:
        """Write a function and the tree that all its calls need to a file, which the processes map."""
        check_function(common[0])
        try:
            return MappedTree(common)
        except OSError as error:
            folder = tempfile.gettempdir()
            reason = f"shared cannot be written to {folder} ({first_line(error)}): free space there, or set TMPDIR"
            raise OSError(error.errno, reason) from None
        except Exception as error:
            raise TypeError(f"shared cannot be sent to another process ({first_line(error)}): {REMEDY}") from None

    def release(self, shared: MappedTree) -> None:
        """Remove the file of `share`."""
        shared.remove()

    def stop(self, futures: Collection[Future[Any]]) -> None:
        """Kill the processes that run calls with these futures, which then raise `WorkerLost`, and start others."""
        with self._lock:
            for call in itertools.chain(*self._calls.values()):
                call.is_stopped |= call.future in futures
            stopped = [process for process, calls in self._calls.items() if calls and calls[0].is_stopped]
        for process in stopped:
            self._replace_soon(process, kill=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once their calls are done; with `cancel_futures`, kill those that have calls."""
        with self._lock:
            self._closed = True
            processes = [*self._calls]
            futures = {call.future for calls in self._calls.values() for call in calls}
        if cancel_futures:
            self.stop(futures)
            concurrent_futures.wait(futures if wait else ())
        if not wait or not processes or sys.is_finalizing():
            for process in processes:
                process.shutdown(wait=False)
            return
        try:
            with ThreadPoolExecutor(len(processes)) as threads:  # all end at the same time
                for process in processes:
                    threads.submit(process.shutdown, wait=True)
        except KeyboardInterrupt:
            self.stop(futures)
            raise

    def _send(self, call: "_Call") -> None:
        """Give a call to the process with the fewest."""
        with self._lock:
            if self._closed:
                raise RuntimeError("this ProcessExecutor was shut down: make a new one")
            process = min(self._calls, key=lambda process: len(self._calls[process]))
            self._calls[process].append(call)
        try:
            done = process.submit(call.pickled)
        except BrokenProcessPool:  # it died while it was idle
            self._replace(process)
        except KeyboardInterrupt:  # in a session that goes on: nobody has the future
            call.is_stopped = True
            self._replace_soon(process, kill=True)
            raise
        else:
            call.is_sent = True
            done.add_done_callback(lambda done: self._finish(process, call, done))

    def _finish(self, process: Process, call: "_Call", done: Future[Any]) -> None:
        """Pass on what came of a call."""
        if done.cancelled():  # stopped
            return
        if isinstance(done.exception(), BrokenProcessPool):
            self._replace_soon(process)
            return
        with self._lock:
            calls = self._calls.get(process, [])
            if call not in calls:  # stopped
                return
            calls.remove(call)
            next_is_stopped = bool(calls) and calls[0].is_stopped
        if next_is_stopped:
            self._replace_soon(process, kill=True)
        call.settle(done)

    def _replace_soon(self, process: Process, kill: bool = False) -> None:
        """Replace a process in a thread of its own, since this one may hold the lock of the process's pool."""
        if not sys.is_finalizing():  # when all processes end, and no thread starts
            threading.Thread(target=self._replace, args=(process, kill), daemon=True).start()

    def _replace(self, process: Process, kill: bool = False) -> None:
        """Replace a process that died or is stopped: its first call ran on it and is lost, others go elsewhere."""
        successor = Process()
        with self._lock:
            calls = self._calls.pop(process, None)
            if calls is None:  # replaced before, in the callback of another of its calls
                return
            if not self._closed:
                self._calls[successor] = []
        if kill:
            process.kill()
        for index, call in enumerate(calls):
            if (index == 0 and call.is_sent) or call.is_stopped:
                how = "was stopped" if kill else "died"
                call.fail(WorkerLost(f"{process} {how}", was_starting=not process.started))
            else:
                self._send_again(call)

    def _send_again(self, call: "_Call") -> None:
        try:
            self._send(call)
        except RuntimeError as error:  # shut down meanwhile
            call.fail(WorkerLost(str(error)))


@dataclass(eq=False)
class _Call:
    """A pickled call and its future."""

    future: Future[Any]
    pickled: bytes
    is_sent: bool = False
    is_stopped: bool = False

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

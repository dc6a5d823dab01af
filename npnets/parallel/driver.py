"""The driver of one call: keeps a window of tasks with an executor, and survives what happens to workers.

Each result is counted once, under its member's index, whatever the order and the number of attempts.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import replace
from typing import Any

from npnets.caches import bounded_cache
from npnets.installation import numerics
from npnets.log import logger
from npnets.parallel.arguments import Call
from npnets.parallel.failures import TaskError, WorkerLost, is_loss
from npnets.parallel.finished import Finished
from npnets.parallel.sending import REMEDY, first_line
from npnets.parallel.task import Fault, Outcome, run_task

_RUN_AGAIN = object()
_MODULES = (
    "install the module on every machine; on Ray, "
    'RayExecutor(..., runtime_env={"py_modules": ["path/of/its/folder"]}) sends it'
)


class Driver:
    """One call on one executor."""

    def __init__(self, call: Call, executor: Any) -> None:
        self.call, self.executor = call, executor
        self.waiting = deque(range(len(call.population)))
        self.running: dict[Any, int] = {}
        self.finished = Finished()
        self.lost: dict[int, int] = {}  # by index: how many workers died while they ran it
        self.has_started = False
        self.numerics = {numerics()}
        self.common = getattr(executor, "share", lambda value: value)((call.fun, call.shared))

    def completed(self) -> Iterator[tuple[int, Any]]:
        """Yield index and result of each task once it has ended."""
        try:
            while self.waiting or self.running:
                yield from self._submit_waiting()
                if self.running:
                    yield from self._next()
        finally:
            self._stop()

    def _submit_waiting(self) -> Iterator[tuple[int, TaskError]]:
        """Fill the executor's window; a task that cannot be sent has failed."""
        window = getattr(self.executor, "window", len(self.call.population))
        while self.waiting and len(self.running) < window:
            index = self.waiting.popleft()
            task = self.call.task(index, getattr(self.executor, "ends_process", None))
            try:
                future = self.executor.submit(run_task, self.common, task)
            except BrokenExecutor as error:
                raise RuntimeError(
                    f"the executor {type(self.executor).__name__} can no longer be used, because one of its workers "
                    "died; ProcessExecutor and RayExecutor replace workers that die"
                ) from error
            except Exception as error:
                if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
                    raise  # the executor's, such as after its shutdown
                fault = _not_sent(error)
            else:
                self.running[future] = index
                self.finished.add(future)
                continue
            yield index, self._failure(index, fault)

    def _next(self) -> Iterator[tuple[int, Any]]:
        """Wait for a task, and yield its result unless it is to be run again."""
        future = self.finished.wait()
        index = self.running.pop(future)
        result = self._result_of(index, future)
        if isinstance(result, Fault):
            yield index, self._failure(index, result)
        elif result is not _RUN_AGAIN:
            yield index, result

    def _result_of(self, index: int, future: Any) -> Any:
        """Return a task's result, the fault in its place, or that it is to be run again."""
        try:
            outcome: Outcome = future.result()
        except CancelledError as error:
            raise RuntimeError(
                f"the executor {type(self.executor).__name__} was shut down while tasks waited for it: make a new one"
            ) from error
        except Exception as error:
            return self._after_death(index, error) if is_loss(error) else _not_sent(error)
        self._compare(outcome)
        if isinstance(outcome.result, Fault):
            where = f" ({outcome.worker}, after {outcome.seconds:.3g} s)"
            return replace(outcome.result, reason=outcome.result.reason + where)
        return outcome.result

    def _after_death(self, index: int, error: Exception) -> Any:
        """Let a task run again whose worker died, or return the fault if that happened too often."""
        deaths = self.lost[index] = self.lost.get(index, 0) + 1
        reason = str(error) if isinstance(error, WorkerLost) else first_line(error)
        if isinstance(error, WorkerLost) and error.was_starting and not self.has_started:
            return Fault(
                "worker lost",
                f"lost its worker, since {reason}: its own error stands above, and most often the script lacks "
                '`if __name__ == "__main__":` around what it runs',
            )
        if deaths <= self.call.retries:
            line = "%s: %s while it ran; run again (%d of %d)"
            logger().warning(line, self.call.name(index), reason, deaths, self.call.retries)
            self.waiting.appendleft(index)
            return _RUN_AGAIN
        times = "once" if deaths == 1 else f"{deaths} times"
        limit = self.call.seconds
        hung = "or crash or hang in C" if limit is None else f"crash, or hang in C past its time limit of {limit:g} s"
        return Fault("worker lost", f"lost its worker {times} ({reason}): it may need more memory, {hung}")

    def _failure(self, index: int, fault: Fault) -> TaskError:
        """Log a failure, and raise it if the call ends with it."""
        error = TaskError(index, fault.kind, f"{self.call.name(index)} {fault.reason}", fault.traceback)
        if self.call.raises:
            raise error
        logger().warning("%s", error)
        return error

    def _compare(self, outcome: Outcome) -> None:
        """Warn once if workers and driver differ in versions or kernels, on which the bits of results depend."""
        self.has_started = True
        self.numerics.add(outcome.numerics)
        if len(self.numerics) > 1:
            _warn_of_numerics(tuple(sorted(self.numerics)))

    def _stop(self) -> None:
        """Stop tasks that run without anybody waiting for their results, and release what was shared."""
        if hasattr(self.executor, "stop"):
            self.executor.stop(self.running)
        for future in self.running:
            future.cancel()
        if hasattr(self.executor, "release"):
            self.executor.release(self.common)


def _not_sent(error: Exception) -> Fault:
    line = first_line(error)
    if "No module named" in line:
        return Fault("not sent", f"cannot run on its worker ({line}): {_MODULES}")
    return Fault("not sent", f"cannot be sent to a worker, or its result cannot be sent back ({line}): {REMEDY}")


@bounded_cache(maxsize=16)
def _warn_of_numerics(found: tuple[str, ...]) -> None:
    """Warn of one set of workers once."""
    logger().warning(
        "workers and driver differ, and with them the last bits of results: %s; install the same versions, and set "
        "NPNETS_COMPILED and OPENBLAS_CORETYPE to a value that suits all of them",
        " | ".join(found),
    )

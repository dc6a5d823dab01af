"""Run a function once for each member of a population, on any executor, and survive what happens to workers.

The driver keeps a window of tasks with the executor. Each result is counted once, under its member's index, whatever
order and however many attempts it takes.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import replace
from typing import Any, Literal

from npnets.caches import bounded_cache
from npnets.log import logger
from npnets.parallel.arguments import Call, check_call
from npnets.parallel.failures import TaskError, WorkerLost, is_loss
from npnets.parallel.finished import Finished
from npnets.parallel.process_executor import ProcessExecutor
from npnets.parallel.seeds import Seed
from npnets.parallel.sending import REMEDY, first_line
from npnets.parallel.task import Fault, Outcome, run_task


def map_population(
    fun: Callable[..., Any],
    population: Sequence[Any],
    executor: Any = None,
    *,
    seed: Seed | None = None,
    shared: Any = None,
    time_limit: float | None = None,
    retries: int = 2,
    on_failure: Literal["raise", "return"] = "raise",
    allow_nan: bool = False,
) -> list[Any]:
    """Call a function for each member of a population, on many processes or machines, and return the results.

    Parameters
    ----------
    fun : callable
        `fun(member)`; with `seed`, `fun(member, rng=generator)`; with `shared`, `fun(member, shared=tree)` too. A pure
        function, which workers can import: made with `def` at the top of a module.
    population : sequence
        What distinguishes one task from the next: seeds, settings, trees with arrays of NumPy.
    executor : ProcessExecutor, RayExecutor, SerialExecutor, or any with a `submit` as in concurrent.futures
        By default processes of this machine, one for each core, that are started for this call, which takes about a
        second.
    seed : int, sequence of int or SeedSequence, optional
        With it, each task gets a generator of its own, which depends on this seed and the task's index alone:
        `generator(seed, index)`.
    shared : tree, optional
        What all tasks need, sent once for the call instead of once for each task: parameters that all evaluate. On a
        worker its arrays are read-only.
    time_limit : float, optional
        Seconds that a task may take, counted from its start on the worker.
    retries : int
        How often a task is run again whose worker died. Nothing else is retried: the same task would fail again.
    on_failure : {"raise", "return"}
        Whether the first failed task ends the call and stops the others, or a `TaskError` takes the place of its
        result.
    allow_nan : bool
        Whether a NaN in a result is a result; otherwise it is a failure.

    Returns
    -------
    list
        The results, in the order of the population.

    Raises
    ------
    TaskError
        If a task fails: it raises, returns NaN, runs over its time limit, loses its worker in every attempt, or cannot
        be sent.
    TypeError, ValueError
        If an argument cannot be used, before any task starts: a function that cannot be sent or called with these
        arguments, an array on a GPU.
    RuntimeError
        If the executor itself can no longer be used.

    Notes
    -----
    Failures and retries are logged to the logger `npnets`, a line each. A keyboard interrupt stops the tasks that run.

    Results have the same bits on any executor and number of workers if the workers have the same versions and
    processors; where their kernels differ, one warning is logged.

    Examples
    --------
    >>> from npnets import parallel
    >>> def noise(member, *, rng, shared):
    ...     return shared["scale"] * member * rng.normal()
    >>> executor = parallel.SerialExecutor()
    >>> results = parallel.map_population(noise, [1.0, 2.0], executor, seed=0, shared={"scale": 3.0})
    >>> results[1] == 3.0 * 2.0 * parallel.generator(0, 1).normal()
    True
    """
    settings = (seed, shared, time_limit, retries, on_failure, allow_nan)
    results = dict(_completed(check_call(fun, population, *settings), executor))
    return [results[index] for index in range(len(population))]


def completed(
    fun: Callable[..., Any],
    population: Sequence[Any],
    executor: Any = None,
    *,
    seed: Seed | None = None,
    shared: Any = None,
    time_limit: float | None = None,
    retries: int = 2,
    on_failure: Literal["raise", "return"] = "raise",
    allow_nan: bool = False,
) -> Iterator[tuple[int, Any]]:
    """Call a function for each member of a population, and yield each result once it is there, to be saved at once.

    Parameters
    ----------
    fun, population, executor, seed, shared, time_limit, retries, on_failure, allow_nan
        As in `map_population`.

    Yields
    ------
    index : int
        Which member of the population, each once, in the order in which tasks end.
    result
        What the function returned; with `on_failure="return"`, a `TaskError` for a failed task.

    Raises
    ------
    TaskError, TypeError, ValueError, RuntimeError
        As `map_population`; the arguments are checked at once.
    """
    settings = (seed, shared, time_limit, retries, on_failure, allow_nan)
    return _completed(check_call(fun, population, *settings), executor)


def _completed(call: Call, executor: Any) -> Iterator[tuple[int, Any]]:
    if executor is None:
        with ProcessExecutor() as own:
            yield from _Run(call, own).completed()
    else:
        yield from _Run(call, executor).completed()


_RUN_AGAIN = object()
_MODULES = (
    "install the module on every machine, or let Ray send its folder: "
    'RayExecutor(..., runtime_env={"py_modules": ["path/of/the/folder"]})'
)


class _Run:
    """One call on one executor."""

    def __init__(self, call: Call, executor: Any) -> None:
        self.call, self.executor = call, executor
        self.waiting = deque(range(len(call.population)))
        self.running: dict[Any, int] = {}
        self.finished = Finished()
        self.lost: dict[int, int] = {}  # by index: how many workers died while they ran it
        self.numerics: set[str] = set()
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
            task = self.call.task(index, getattr(self.executor, "ends_process", True))
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
        future = self.finished.next()
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
        if isinstance(error, WorkerLost) and error.was_starting and not self.numerics:  # none has ever started
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
        return Fault(
            "worker lost", f"lost its worker {times} ({reason}): it may need more memory, or crash or hang in C"
        )

    def _failure(self, index: int, fault: Fault) -> TaskError:
        """Log a failure, and raise it if the call ends with it."""
        error = TaskError(index, fault.kind, f"{self.call.name(index)} {fault.reason}", fault.traceback)
        if self.call.raises:
            raise error
        logger().warning("%s", error)
        return error

    def _compare(self, outcome: Outcome) -> None:
        """Warn once if workers differ in what the bits of results depend on."""
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
        "workers differ, and with them the last bits of results: %s; install the same versions, and set "
        "NPNETS_COMPILED and OPENBLAS_CORETYPE to what all of them have",
        " | ".join(found),
    )

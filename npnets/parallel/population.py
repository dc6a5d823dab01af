"""Run a function once for each member of a population, on any executor: the results as a list, or as they come."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from npnets.parallel.arguments import Call, check_call
from npnets.parallel.driver import Driver
from npnets.parallel.process_executor import ProcessExecutor
from npnets.parallel.seeds import Seed


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
        The members, which distinguish the tasks: seeds, settings, trees with arrays of NumPy.
    executor : ProcessExecutor, RayExecutor, SerialExecutor, or any with a `submit` as in concurrent.futures
        By default processes of this machine, one for each core, that are started for this call, which takes about a
        second.
    seed : int, sequence of int or SeedSequence, optional
        With it, each task gets a generator of its own, which depends on this seed and the task's index alone:
        `generator(seed, index)`. As in NumPy, zeros at the end do not count: 7, `(7,)` and `(7, 0)` are the same seed.
    shared : tree, optional
        A tree that all tasks need, such as parameters that all evaluate: sent once for the call instead of once for
        each task. On a worker its arrays are read-only, and a task must not change its other objects, which later
        tasks of the same worker see.
    time_limit : float, optional
        Seconds that a task may take, counted from its start on the worker.
    retries : int
        How often a task is run again whose worker died. Nothing else is retried: the same task would fail again.
    on_failure : {"raise", "return"}
        Whether the first failed task ends the call and stops the others, or a `TaskError` takes the place of its
        result.
    allow_nan : bool
        Whether a NaN is a result. Otherwise it is a failure, in numbers and arrays of floats, also inside dicts,
        lists, tuples and dataclasses.

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
    OSError
        If `shared` cannot be written to the folder for temporary files.
    RuntimeError
        If the executor itself can no longer be used.

    Notes
    -----
    Failures and retries are logged to the logger `npnets`, a line each. A keyboard interrupt stops the tasks that run.

    Results have the same bits on any executor and number of workers if the workers have the same versions and
    processors; where these differ among workers and driver, one warning is logged.

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
        The function's result; with `on_failure="return"`, a `TaskError` for a failed task.

    Raises
    ------
    TaskError, TypeError, ValueError, RuntimeError
        As `map_population`. The arguments are checked at once, and whether they can be sent at the first result.
    """
    settings = (seed, shared, time_limit, retries, on_failure, allow_nan)
    return _completed(check_call(fun, population, *settings), executor)


def _completed(call: Call, executor: Any) -> Iterator[tuple[int, Any]]:
    if not len(call.population):
        return
    if executor is None:
        with ProcessExecutor() as own:
            yield from Driver(call, own).completed()
    else:
        yield from Driver(call, executor).completed()

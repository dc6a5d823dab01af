"""The arguments of `map_population`: each mistake is reported before any task starts."""

import inspect
from collections.abc import Callable, MutableSequence, Sequence
from typing import Any, NamedTuple

import numpy as np

from npnets.backend import device_of, loaded_cupy
from npnets.description import is_number, size
from npnets.parallel.seeds import Seed, seed_sequence
from npnets.parallel.sending import first_line, name_of
from npnets.parallel.task import Task, leaves_of
from npnets.parallel.time_limit import LONGEST


class Call(NamedTuple):
    """The checked arguments of a call."""

    fun: Callable[..., Any]
    population: Sequence[Any]
    seed: np.random.SeedSequence | None
    shared: Any
    seconds: float | None
    retries: int
    raises: bool
    allows_nan: bool

    def task(self, index: int, ends_process: bool | None) -> Task:
        """Return what is sent for one member."""
        member, has_shared = self.population[index], self.shared is not None
        return Task(index, member, self.seed, has_shared, self.seconds, ends_process, self.allows_nan)

    def name(self, index: int) -> str:
        """Return the name of a task, for a message."""
        return f"member {index} of {len(self.population)}"


def check_call(
    fun: Callable[..., Any],
    population: Sequence[Any],
    seed: Seed | None,
    shared: Any,
    time_limit: float | None,
    retries: int,
    on_failure: str,
    allow_nan: bool,
) -> Call:
    """Return the arguments of a call, once they are checked."""
    _check_population(population)
    if isinstance(population, MutableSequence):
        population = [*population]  # it may change while tasks run
    sequence = None if seed is None else seed_sequence(seed)
    _check_function(fun, population, sequence is not None, shared is not None)
    _check_devices(population, shared)
    if time_limit is not None and not (is_number(time_limit) and 0 < time_limit <= LONGEST):
        raise ValueError(
            f"time_limit must be a positive number of seconds up to {LONGEST:g}, or None for no limit, but is "
            f"{time_limit!r}"
        )
    if on_failure not in ("raise", "return"):
        raise ValueError(f'on_failure must be "raise" or "return", but is {on_failure!r}')
    if not isinstance(allow_nan, (bool, np.bool_)):
        raise TypeError(f"allow_nan must be True or False, but is {allow_nan!r}")
    retries = size("retries", retries, least=0)
    return Call(fun, population, sequence, shared, time_limit, retries, on_failure == "raise", bool(allow_nan))


def _check_population(population: Any) -> None:
    indexable = hasattr(population, "__len__") and hasattr(population, "__getitem__")
    if not indexable or isinstance(population, (str, bytes, dict)):
        raise TypeError(
            f"population must be a sequence of members, such as a list or a range, but is {type(population).__name__}; "
            "make a list of it: list(...), for a dict list(d.items())"
        )
    try:
        if len(population):
            population[0]
    except Exception as error:
        raise TypeError(
            f"population must have its members at the indices 0, 1, ..., but this {type(population).__name__} raises "
            f"{first_line(error)}: make a list of its members"
        ) from None


def _check_function(fun: Any, population: Sequence[Any], seeded: bool, sharing: bool) -> None:
    if not callable(fun):
        raise TypeError(f"fun must be a function of a member, but is {fun!r:.60}; the order is (fun, population)")
    try:
        signature = inspect.signature(fun)
    except ValueError:  # some functions in C have none
        return
    keywords = [name for name, given in (("rng", seeded), ("shared", sharing)) if given]
    try:
        signature.bind(population[0] if len(population) else None, **dict.fromkeys(keywords))
    except TypeError as error:
        call = ", ".join(["member", *(f"{name}={name}" for name in keywords)])
        name = name_of(fun)
        raise TypeError(
            f"{name}{signature} is called as {name}({call}), which it does not accept: {error}; it receives rng if the "
            "call has a seed, and shared if the call has shared"
        ) from None


def _check_devices(population: Sequence[Any], shared: Any) -> None:
    """Check that no array lies on a GPU: another process cannot read it, and a copy would be silent."""
    if loaded_cupy() is None:
        return
    for name, value in [("shared", shared), *((f"member {index}", member) for index, member in enumerate(population))]:
        for path, leaf in leaves_of(value):
            if (device := device_of(leaf)) != "cpu":
                place = f" at {path!r}" if path else ""
                raise TypeError(
                    f"{name} has an array on {device}{place}, which other processes cannot read: pass "
                    "npnets.tree.to_numpy(...), and move it to a GPU on the worker"
                )

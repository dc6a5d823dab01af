"""One task, as it runs on a worker: its generator, its time limit, and every fault as a value that is sent back."""

import dataclasses
import multiprocessing
import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npnets import tree
from npnets.backend import device_of
from npnets.caches import bounded_cache
from npnets.installation import numerics
from npnets.parallel.failures import Kind
from npnets.parallel.mapped_tree import MappedTree
from npnets.parallel.seeds import generator
from npnets.parallel.sending import first_line
from npnets.parallel.time_limit import OverTime, time_limit

_TRACEBACK_ENDS = 10_000  # characters


class Task(NamedTuple):
    """The message for one member: a few hundred bytes beside the member itself.

    Attributes
    ----------
    number
        Index of the member in the population.
    member
        The member.
    seed
        The call's seed; None if the function takes no generator.
    has_shared
        Whether the function takes `shared`.
    seconds
        Time limit, or None.
    ends_process
        Whether the process may end when the task ignores its time limit; None if the executor is unknown, and a process
        that `multiprocessing` started may.
    allows_nan
        Whether the result may hold NaN.
    """

    number: int
    member: Any
    seed: np.random.SeedSequence | None
    has_shared: bool
    seconds: float | None
    ends_process: bool | None
    allows_nan: bool


@dataclass(frozen=True)
class Fault:
    """Why a task has no result: its kind, one line about it, and a traceback where there is one."""

    kind: Kind
    reason: str
    traceback: str | None = None


class Outcome(NamedTuple):
    """The message that a worker returns.

    Attributes
    ----------
    result
        The function's result, or a `Fault`.
    seconds
        How long it ran.
    worker
        The process and its machine.
    numerics
        The versions and kernels on which the bits of results may depend.
    """

    result: Any
    seconds: float
    worker: str
    numerics: str


def run_task(common: Any, task: Task) -> Outcome:
    """Run one task; every fault but an interrupt is returned as a value, so that an exception is the executor's.

    Parameters
    ----------
    common : (callable, tree) or MappedTree
        The call's function and its `shared`.
    task : Task

    Returns
    -------
    Outcome
    """
    began = time.perf_counter()
    try:
        with time_limit(task.seconds, _ends_process(task)):
            fun, shared = common.load() if isinstance(common, MappedTree) else common
            result = _result(fun, shared, task)
    except OverTime:
        result = Fault("time limit", f"ran longer than its time limit of {task.seconds:g} s")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        result = Fault("raised", f"raised {first_line(error)}", _traceback())
    return Outcome(result, time.perf_counter() - began, *_identity())


def _ends_process(task: Task) -> bool:
    return multiprocessing.parent_process() is not None if task.ends_process is None else task.ends_process


def _result(fun: Callable[..., Any], shared: Any, task: Task) -> Any:
    """Return the function's result, or the fault in it."""
    given: dict[str, Any] = {}
    if task.seed is not None:
        given["rng"] = generator(task.seed, task.number)
    if task.has_shared:
        given["shared"] = read_only(shared)
    result = fun(task.member, **given)
    return fault_in(result, task.allows_nan) or result


def _traceback() -> str:
    """Return the traceback of the present exception, without the middle of one that is as long as its data."""
    text = traceback.format_exc()
    if len(text) <= 2 * _TRACEBACK_ENDS:
        return text
    return f"{text[:_TRACEBACK_ENDS]}\n[...]\n{text[-_TRACEBACK_ENDS:]}"


def read_only(shared: Any) -> Any:
    """Return a tree with views of its arrays that cannot be written to: a task must not see another one's changes."""
    return tree.map(_view, shared)


def _view(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf
    view = leaf.view()
    view.flags.writeable = False
    return view


def fault_in(result: Any, allows_nan: bool) -> Fault | None:
    """Return the fault in a result: an array on a GPU, or a NaN."""
    for path, leaf in leaves_of(result):
        place = f" at {path!r}" if path else ""
        if device_of(leaf) != "cpu":
            return Fault("not sent", f"returned an array on {device_of(leaf)}{place}; return npnets.tree.to_numpy(...)")
        if not allows_nan and is_nan(leaf):
            return Fault("nan", f"returned NaN{place}; pass allow_nan=True if that is a result")
    return None


def leaves_of(value: Any, path: str = "") -> Any:
    """Yield path and value of each leaf of dicts, lists, tuples and dataclasses, in the order in which they come."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (dict, list, tuple)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves_of(part, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def is_nan(leaf: Any) -> bool:
    """Return whether a number is NaN, or an array holds one."""
    if isinstance(leaf, (float, complex, np.inexact)):
        return leaf != leaf
    return isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fc" and bool(np.isnan(leaf).any())


@bounded_cache(maxsize=1)
def _identity() -> tuple[str, str]:
    """Return the process with its machine, and the versions and kernels that its numbers depend on."""
    return f"process {os.getpid()} on {platform.node()}", numerics()

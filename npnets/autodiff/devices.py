"""Where a call computes: on the device that the arrays of its tree lie on, traced ones too.

`computing_where` is the context, `computes_where` the decorator made of it. A tree is searched once for a call: calls
inside it that are given a part of that tree know the device already. Until CuPy is loaded nothing is searched at all.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar, cast

from npnets import tree
from npnets.autodiff.tracing import bare
from npnets.backend import check_one_device, gpu_number, loaded_cupy, using
from npnets.tree import Tree

F = TypeVar("F", bound=Callable[..., Any])

_CONTAINERS = (dict, list, tuple)
_UNCHANGED = nullcontext()


class _Searched(threading.local):
    """The containers of the innermost tree that was searched, by their ids, and the GPU of its arrays (-1: the CPU)."""

    containers: dict[int, Tree] = {}  # noqa: RUF012  replaced as a whole, never changed
    gpu = -1


_searched = _Searched()


def computing_where(x: Tree, what: str | Callable[[], str] = "") -> AbstractContextManager[object]:
    """Return a context in which CuPy computes and allocates on the GPU that a tree lies on.

    Parameters
    ----------
    x : tree
        Arrays, traced or not; leaves that are no arrays lie anywhere. For NumPy's arrays the context does nothing.
    what : str or callable, optional
        The name of the tree for an error, or a function that returns it. Without it arrays may lie on several devices,
        and the context uses one of their GPUs.

    Raises
    ------
    TypeError
        With `what`, if the leaves lie on different devices; the message names them.
    """
    cupy = loaded_cupy()
    if cupy is None:
        return _UNCHANGED
    if not isinstance(x, _CONTAINERS):
        return using(bare(x)) if hasattr(x, "dtype") else _UNCHANGED
    if id(x) in _searched.containers and (_searched.gpu < 0 or _searched.gpu == cupy.cuda.get_device_id()):
        return _UNCHANGED
    containers: dict[int, Tree] = {}
    arrays = _arrays(x, containers)
    first = {gpu: array for array in reversed(arrays) if (gpu := gpu_number(array)) is not None}
    if what and len(first) > 1:
        check_one_device(arrays, lambda: what if isinstance(what, str) else what(), lambda: tree.paths(x))
    gpu = max(first, default=-1)
    return _computing(containers, gpu, first.get(gpu)) if len(first) <= 1 else using(first[gpu])


def computes_where(arrays: Callable[..., Tree], what: Callable[..., str] | None = None) -> Callable[[F], F]:
    """Return a decorator that makes a function compute where some of its arguments lie.

    Parameters
    ----------
    arrays : callable
        From the function's arguments to a tree of those arrays.
    what : callable, optional
        From the function's arguments to the name of these arrays for an error: with it, they must lie on one device.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*args: object, **kwargs: object) -> object:
            if loaded_cupy() is None:  # tested here too: to enter even an empty context shows in a small network
                return function(*args, **kwargs)
            named = "" if what is None else functools.partial(what, *args, **kwargs)
            with computing_where(arrays(*args, **kwargs), named):
                return function(*args, **kwargs)

        return cast(F, run)

    return decorate


def _params(network: object, params: Tree, *args: object, **kwargs: object) -> Tree:
    return params


def _params_of(network: object, *args: object, **kwargs: object) -> str:
    return f"the parameters of {network!r}"


computes_where_params = computes_where(_params, _params_of)
"""Decorates a network's method `(self, params, ...)`: it computes where its parameters lie, all on one device."""


@contextmanager
def _computing(containers: dict[int, Tree], gpu: int, array: Any) -> Iterator[None]:
    """Compute where an array lies, and remember containers whose arrays all lie there."""
    before = _searched.containers, _searched.gpu
    with using(array):
        _searched.containers, _searched.gpu = containers, gpu
        try:
            yield
        finally:
            _searched.containers, _searched.gpu = before


def _arrays(x: Tree, containers: dict[int, Tree]) -> list[Any]:
    """Return the leaves of a tree without their traces, and note the containers that it consists of."""
    if not isinstance(x, _CONTAINERS):
        return [bare(x)]
    containers[id(x)] = x
    parts = [x[key] for key in sorted(x)] if isinstance(x, dict) else x
    return [leaf for part in parts for leaf in _arrays(part, containers)]

"""The caches of the package: each is bounded and listed here, so that one call empties all of them.

A cache may hold arrays on a GPU, such as the bounds of actions; `npnets.memory.clear` releases them by `clear`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_caches: list[functools._lru_cache_wrapper[Any]] = []


def bounded_cache(maxsize: int) -> Callable[[Callable[..., T]], functools._lru_cache_wrapper[T]]:
    """Return a decorator that remembers at most `maxsize` results of a function, those used last."""

    def decorate(function: Callable[..., T]) -> functools._lru_cache_wrapper[T]:
        cached = functools.lru_cache(maxsize)(function)
        _caches.append(cached)
        return cached

    return decorate


def clear() -> None:
    """Empty all caches; their contents are computed again when they are needed."""
    for cached in _caches:
        cached.cache_clear()

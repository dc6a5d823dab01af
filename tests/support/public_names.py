"""Every public module of npnets, found by walking from `npnets.__all__`, and the public names of each."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import npnets


def public_modules(module: ModuleType = npnets) -> Iterator[ModuleType]:
    """Yield a module and, recursively, every public module in its `__all__`."""
    yield module
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            yield from public_modules(value)


MODULES = {module.__name__: module for module in public_modules()}
"""The public modules by their names."""


def public_names(module: str) -> set[str]:
    """Return the public names of a module that are not modules."""
    its = MODULES[module]
    return {name for name in its.__all__ if not isinstance(getattr(its, name), ModuleType)}

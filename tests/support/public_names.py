"""Every public module of npnets, found by walking from `npnets.__all__`, and the public names of each."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import npnets


def public_modules(module: ModuleType = npnets) -> Iterator[ModuleType]:
    """A module and, in turn, every public module that its `__all__` names."""
    yield module
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            yield from public_modules(value)


MODULES = {module.__name__: module for module in public_modules()}
"""The public modules by their names."""


def public_names(module: str) -> set[str]:
    """The public names of a module that are no modules themselves."""
    its = MODULES[module]
    return {name for name in its.__all__ if not isinstance(getattr(its, name), ModuleType)}

"""The public names of a module in completion, and attributes that are imported when they are first used.

A module's `__all__` lists its public names.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def listing(names: Sequence[str]) -> Callable[[], list[str]]:
    """Return a module's `__dir__`, with which `dir` and completion show these names alone.

    Parameters
    ----------
    names : sequence of str
        The module's `__all__`.

    Returns
    -------
    callable
    """
    return lambda: list(names)


def imported_when_used(module: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module's `__getattr__`, which imports some of its attributes when they are first used.

    Parameters
    ----------
    module : str
        The name of the module.
    places : dict from str to str
        By the name of an attribute: the module that has it, or that it is.

    Returns
    -------
    callable
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        import importlib

        place = importlib.import_module(places[name])
        value = place if places[name] == f"{module}.{name}" else getattr(place, name)
        setattr(sys.modules[module], name, value)
        return value

    return get

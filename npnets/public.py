"""How a module shows itself: its public names in completion, and parts that are imported once they are used.

The list of a module's public names is its `__all__`; everything here follows it.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def listing(names: Sequence[str]) -> Callable[[], list[str]]:
    """Return a module's `__dir__`, which makes `dir` and completion show these names and nothing else.

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
    """Return a module's `__getattr__`, which imports some of its attributes once they are used.

    Parameters
    ----------
    module : str
        The name of the module.
    places : dict from str to str
        From an attribute to the module that it is in, or that it is.

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

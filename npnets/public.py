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


class MissingNameError(AttributeError):
    """The error for a name that is not there, which says the nearest one that is, and looks for it when it is read.

    Parameters
    ----------
    owner : str
        What has no such name.
    name : str
    names : sequence of str
        The names that are there.
    remedy : str, optional
        What to do instead; without it, the nearest names.
    """

    def __init__(self, owner: str, name: str, names: Sequence[str], remedy: str = "") -> None:
        super().__init__(owner, name, names, remedy)

    def __str__(self) -> str:
        import difflib

        owner, name, names, remedy = self.args
        near = difflib.get_close_matches(name, [other for other in names if other != name], n=2)
        found = f"the nearest {'name is' if len(near) == 1 else 'names are'} {' and '.join(near)}" if near else ""
        return "; ".join([f"{owner} has no {name!r}", *filter(None, (remedy, found))])


def nearest_named(module: str, names: Sequence[str], remedy: Callable[[str], str] = lambda name: "") -> Any:
    """Return a module's `__getattr__`, which says the nearest public names for one that is not there.

    Parameters
    ----------
    module : str
        The name of the module.
    names : sequence of str
        Its `__all__`.
    remedy : callable, optional
        From the missing name to what to do instead.

    Returns
    -------
    callable
    """

    def get(name: str) -> Any:
        if name.startswith("__"):  # protocols that ask modules for it
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise MissingNameError(module, name, names, remedy(name))

    return get

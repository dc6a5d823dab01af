"""Inert stand-ins for objects of classes that a file's reader does not know."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from npnets.backend import Array


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Foreign:
    """An object of a class that is not known, as a file describes it: nothing of the class was imported or run.

    Two compare equal if all their parts do, arrays by shape, dtype and numbers. Where an object holds itself, the inner
    one has its name alone.

    Parameters
    ----------
    name : str
        The full name of the class, or of the function that would make the object, such as
        `"gymnasium.spaces.box.Box"`.
    state : object
        The state of the object, usually a dict of its attributes: plain values, arrays, and further `Foreign` objects.
    arguments : tuple or None
        The arguments that the class or function would get, those by name as a dict at the end. For a class or function
        itself, which is not called, `None`.
    items : list, dict or None
        The members or entries of an object that is a list, a set or a dict.
    """

    name: str
    state: Any = None
    arguments: tuple[Any, ...] | None = None
    items: list[Any] | dict[Any, Any] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Foreign):
            return NotImplemented
        return self.name == other.name and _same(self._parts(), other._parts())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        named = zip(("state", "arguments", "items"), self._parts(), strict=True)
        given = [f"{name}={value!r}" for name, value in named if value is not None]
        return f"Foreign({', '.join([repr(self.name), *given])})"

    def _parts(self) -> tuple[object, ...]:
        return self.state, self.arguments, self.items


def _same(one: object, two: object) -> bool:
    """Return whether two values are of one type and equal; arrays and numbers that are no numbers are compared too."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_same(value, two[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(_same, one, two))
    if isinstance(one, (np.ndarray, np.generic, float)) and isinstance(two, (np.ndarray, np.generic, float)):
        return _same_numbers(np.asarray(one), np.asarray(two))
    return bool(one == two)


def _same_numbers(one: Array, two: Array) -> bool:
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=one.dtype.kind in "fc")

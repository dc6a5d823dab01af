"""The constant arrays of a file: each once, however often it is used."""

import re

import numpy as np

from npnets.export.c.literals import array, literal
from npnets.export.program import Floats


class Constants:
    """Arrays of float32 by name, in the order in which they are first used.

    Parameters
    ----------
    prefix : str
        What the name of every array begins with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.names: dict[tuple[tuple[int, ...], bytes], str] = {}
        self.arrays: dict[str, Floats] = {}

    def name(self, label: str, values: Floats) -> str:
        """Return the name of the array with some values, which is new if no array has had them."""
        rounded = np.ascontiguousarray(values, np.float32)
        key = (rounded.shape, rounded.tobytes())
        if key not in self.names:
            self.names[key] = self._free_name(label)
            self.arrays[self.names[key]] = rounded
        return self.names[key]

    def entry(self, label: str, values: Floats, index: str = "j") -> str:
        """Return the expression of one entry of a vector: a number, if all entries are equal."""
        rounded = np.asarray(values, np.float32)
        if np.all(rounded == rounded[0]):
            return literal(rounded[0])
        return f"{self.name(label, rounded)}[{index}]"

    def lines(self) -> list[str]:
        """Return the definitions."""
        return [line for name, values in self.arrays.items() for line in (*array("float", name, values), "")]

    @property
    def bytes(self) -> int:
        """The memory of all arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def _free_name(self, label: str) -> str:
        preferred = f"{self.prefix}_{identifier(label)}"
        candidates = (preferred, *(f"{preferred}_{number}" for number in range(2, len(self.arrays) + 3)))
        return next(name for name in candidates if name not in self.arrays)


def identifier(label: str) -> str:
    """Return a label with an underscore for everything that no name in C may have."""
    return re.sub(r"\W", "_", label, flags=re.ASCII)

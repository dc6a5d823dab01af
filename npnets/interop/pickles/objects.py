"""The values of a running pickle that are neither plain nor containers: names, and objects of classes in general."""

from dataclasses import dataclass, field
from typing import Any

from npnets.files.fault import Fault


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the pickle, such as `torch.FloatStorage`: only its text, nothing is imported."""

    path: str


@dataclass(slots=True, eq=False)
class Instance:
    """An object as the pickle describes it: the call that makes it, its state, and what is put into it.

    Parameters
    ----------
    path : str
        The name of the class or function that the pickle calls.
    arguments : tuple
        Those of the call; arguments by name are a dict at the end.
    state : object
        The object's attributes, usually a dict.
    members : list
        What is put into a list or set of a class of its own.
    entries : dict
        The same for a dict.
    """

    path: str
    arguments: tuple[object, ...]
    state: object = None
    members: list[object] = field(default_factory=list)
    entries: dict[Any, object] = field(default_factory=dict)

    def fill(self, state: object) -> None:
        """Give the object its state."""
        if self.state is not None:
            raise Fault("its pickle gives an object a state twice; the file is damaged")
        self.state = state


@dataclass(slots=True, eq=False)
class Set:
    """A set or frozenset, whose members have not been compared yet."""

    members: list[object]
    frozen: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Bytes that the protocols before 3 write as text, one letter a byte."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class OddKey:
    """A key of a dict that is neither text nor a small integer; compared by identity, which takes constant time."""

    key: object

"""What a law is, and the two ways in which it is found broken.

A `Law` has a name, a sentence, and a function that tries it once and raises `Breach`. Once the smallest example of a
breach is found, it becomes the `NetworkLawError` that users see.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Law(NamedTuple):
    """A law that networks keep.

    Attributes
    ----------
    name : str
        What `skip` takes, and what an error names.
    sentence : str
        The law in words.
    hold : callable
        Takes a `Trial`, draws an example from it, and raises `Breach` if the law does not hold for that.
    concerns : callable
        Takes a `Subject`; whether the law is about such a network.
    examples : int, optional
        The most examples that are worth drawing, where one tries many points by itself.
    """

    name: str
    sentence: str
    hold: Callable[[Any], None]
    concerns: Callable[[Any], bool] = lambda subject: True
    examples: int | None = None


class Breach(Exception):
    """One example for which a law does not hold: what was expected, what came, and the likely cause."""

    def __init__(self, expected: str, came: str, cause: str) -> None:
        super().__init__(expected, came, cause)
        self.expected, self.came, self.cause = expected, came, cause

    def __str__(self) -> str:
        return f"expected {self.expected}, but came {self.came}; likely cause: {self.cause}"


class NetworkLawError(AssertionError):
    """A network breaks a law.

    Attributes
    ----------
    law : str
        Name of the law, as in `LAWS`.
    expected : str
        What the law asks for.
    came : str
        What the network did.
    cause : str
        The likely cause.
    example : dict of str to str
        The smallest example found: what was drawn, by name.
    """

    def __init__(self, law: Law, network: object, breach: Breach, example: dict[str, str]) -> None:
        self.law, self.example = law.name, example
        self.expected, self.came, self.cause = breach.expected, breach.came, breach.cause
        lines = [f"{network!r:.300} breaks the law {law.name!r}: {law.sentence}"]
        lines += [f"  expected: {self.expected}", f"  came:     {self.came}", "  smallest example found:"]
        lines += [f"    {name} = {_indented(value)}" for name, value in example.items()]
        super().__init__("\n".join([*lines, f"  likely cause: {self.cause}"]))


def _indented(text: str) -> str:
    return text.replace("\n", "\n      ")

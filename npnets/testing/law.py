"""The types of a law, of its violation by one example, and of the error that users see.

The check of a `Law` raises `Violation`. The smallest example that violates the law becomes a `NetworkLawError`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from npnets.testing.network_under_test import NetworkUnderTest
    from npnets.testing.trial import Trial


class Law(NamedTuple):
    """A law that every network must keep.

    `name` is for `skip` and for error messages, `sentence` is the law in words. `check` draws an example from a `Trial`
    and raises `Violation` if the example violates the law. `applies_to` tells whether the law applies to a network.
    `examples` is the maximum number of examples, for a law that tries many points itself.
    """

    name: str
    sentence: str
    check: Callable[["Trial"], None]
    applies_to: Callable[["NetworkUnderTest"], bool] = lambda network: True
    examples: int | None = None


class Violation(Exception):
    """One example that violates a law: what was expected, what came, and the likely cause."""

    def __init__(self, expected: str, came: str, cause: str) -> None:
        super().__init__(expected, came, cause)
        self.expected, self.came, self.cause = expected, came, cause

    def __str__(self) -> str:
        return f"expected {self.expected}, but came {self.came}; likely cause: {self.cause}"


class NetworkLawError(AssertionError):
    """A network violates a law.

    Attributes
    ----------
    law : str
        Name of the law, as in `LAWS`.
    expected : str
        What the law requires.
    came : str
        What the network did instead.
    cause : str
        The likely cause.
    example : dict of str to str
        The smallest example found: the drawn values by name.
    """

    def __init__(self, law: Law, network: object, violation: Violation, example: dict[str, str]) -> None:
        self.law, self.example = law.name, example
        self.expected, self.came, self.cause = violation.expected, violation.came, violation.cause
        lines = [f"{network!r:.300} violates the law {law.name!r}: {law.sentence}"]
        lines += [f"  expected: {self.expected}", f"  came:     {self.came}"]
        lines += ["  smallest example found:"] * bool(example)
        lines += [f"    {name} = {value}".replace("\n", "\n      ") for name, value in example.items()]
        super().__init__("\n".join([*lines, f"  likely cause: {self.cause}"]))

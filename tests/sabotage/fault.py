"""A fault that can be planted: a file of the package, the text to replace, and the tests that must then fail."""

from typing import NamedTuple


class Fault(NamedTuple):
    """The text `old` of `file` becomes `new`, and one of `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: str

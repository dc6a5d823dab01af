"""A fault that can be planted: what in which file of the package, what for what, and which tests must fail then."""

from typing import NamedTuple


class Fault(NamedTuple):
    """The text `old` of `file` becomes `new`, and one of `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: str

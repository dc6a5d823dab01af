"""What is wrong with a file, on its way to `load`, which says it together with the file's path.

What a file says may be of any length and hold what a terminal obeys; so all of it goes through `quoted`, `plain` or
`listed` on its way into an error's text.
"""

from collections.abc import Callable, Iterable
from typing import Any

DAMAGED = "it was probably cut off, or changed after it was written"
NO_MANIFEST = "expected a file that npnets.checkpoint.save wrote, but it has no manifest"

LONGEST_QUOTE = 80
_LONGEST_TEXT, _MOST = 200, 5


class Fault(Exception):
    """A fault of a file: what was expected, what came, the likely cause."""


def quoted(value: Any) -> str:
    """Return a value of a file's as Python writes it, cut off where it is long."""
    return _cut(repr(value), LONGEST_QUOTE)


def plain(text: object) -> str:
    """Return a place, or another's message, with all that is not printable escaped, cut off where it is long."""
    cut = _cut(str(text), _LONGEST_TEXT)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in cut)


def listed(things: Iterable[Any], text: Callable[[Any], str] = quoted) -> str:
    """Return the first few of some things, and how many more there are."""
    things = list(things)
    more = f" and {len(things) - _MOST} more" if len(things) > _MOST else ""
    return f"{', '.join(map(text, things[:_MOST])) or 'nothing'}{more}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."

"""Text from a file in the message of an error.

It may have any length and contain control characters, so all of it goes through `quoted`, `plain` or `listed`; a path
only through `printable`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

LONGEST_QUOTE = 80
_LONGEST_TEXT = 200
_MOST_CANDIDATES = 200

Thing = TypeVar("Thing")

_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}")}
_SHORT = (int, float, complex, np.number, np.bool_, type(None))


def quoted(value: object, longest: int = LONGEST_QUOTE) -> str:
    """Return a value as Python writes it, cut off where it is long.

    Only the beginning is written: a list that holds one long text in many places would have a text of any length.
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= longest else f"{value[:longest]!r}..."
    text = ""
    for piece in _pieces(value, longest):
        text += piece
        if len(text) > longest:
            break
    return _cut(text, longest)


def plain(text: object) -> str:
    """Return a path of keys, or another error's message, with control characters escaped, cut off where it is long."""
    return printable(_cut(str(text), _LONGEST_TEXT))


def printable(text: str) -> str:
    """Return a text as one line, with control characters escaped."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def one_line(text: object) -> str:
    """Return a text, or an error's message, with one space in place of every line end and run of spaces."""
    return " ".join(str(text).split())


def listed(things: Iterable[Thing], text: Callable[[Thing], str] = quoted, most: int = 5) -> str:
    """Return the first few of some things, and how many more there are."""
    things = list(things)
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return f"{', '.join(map(text, things[:most])) or 'nothing'}{more}"


def nearest(name: str, candidates: Sequence[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate that is spelled most like a name, if one is; the first few hundred are compared."""
    import difflib  # here, because only an error needs it

    short = [other for other in candidates[:_MOST_CANDIDATES] if len(other) <= _LONGEST_TEXT]
    return next(iter(difflib.get_close_matches(name[:_LONGEST_TEXT], short, n=1, cutoff=cutoff)), None)


def _pieces(value: object, longest: int) -> Iterator[str]:
    """Yield what Python writes for a value, piece by piece; of texts and lists within it no more than is needed."""
    if type(value) in (str, bytes):
        yield repr(value[: longest + 1])  # type: ignore[index]
    elif type(value) in (list, tuple, dict):
        yield from _members(value, longest)
    else:
        yield repr(value) if isinstance(value, _SHORT) else f"<{type(value).__name__}>"


def _members(value: Any, longest: int) -> Iterator[str]:
    opening, closing = _BRACKETS[type(value)]
    yield opening
    for index, member in enumerate(value):
        yield ", " if index else ""
        yield from _pieces(member, longest)
        if type(value) is dict:
            yield ": "
            yield from _pieces(value[member], longest)
    yield f",{closing}" if type(value) is tuple and len(value) == 1 else closing


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."

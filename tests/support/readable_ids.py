"""Names of parameters for which pytest has no good name: values as they are written, lambdas by their bodies."""

from __future__ import annotations

import functools
import linecache
import re
import sys
import types
from typing import Any

LONGEST = 60
ADDRESS = re.compile(" at 0x[0-9a-fA-F]+")


def written(value: Any) -> str | None:
    """Return a value in one short line, the same in every process, or None if pytest's own name is good."""
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex, type)):
        return _shortened(repr(value)) if isinstance(value, (str, bytes)) and len(value) > LONGEST else None
    if isinstance(value, (set, frozenset)):  # whose order differs from process to process
        value = tuple(sorted(value, key=repr))
    text = ADDRESS.sub("", _name(value) or repr(value))
    return _shortened(" ".join(text.split()))


def _name(value: Any) -> str | None:
    if isinstance(value, functools.partial):
        parts = [_name(value.func) or repr(value.func), *map(repr, value.args)]
        return ", ".join([*parts, *(f"{name}={option!r}" for name, option in value.keywords.items())])
    if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>":
        return _body(value.__code__)
    if isinstance(value, types.FunctionType) and not value.__module__.startswith("tests."):
        return f"{value.__module__.partition('.')[0]}.{value.__name__}"  # there may be several of one name
    name = getattr(value, "name", getattr(value, "__name__", None))
    return name if isinstance(name, str) else None


def _body(code: types.CodeType) -> str | None:
    """Return the source of a lambda's body; Python 3.10 does not know where it ends."""
    if sys.version_info < (3, 11):
        return None
    places = [place for place in code.co_positions() if None not in place and place[2] != place[3]]
    first, start = min((place[0], place[2]) for place in places)
    last, end = max((place[1], place[3]) for place in places)
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return " ".join(line.decode().strip() for line in lines)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."

"""The content of a checkpoint for display: its metadata as text, and its tree, whatever classes the file names.

A class that is not npnets' own is shown as the call that would make it, so that `classes` are not needed. The text of a
file reaches a terminal, so that everything in it that is not printable is escaped.
"""

from collections.abc import ItemsView
from typing import NamedTuple

from npnets.backend import Array
from npnets.checkpoint.api import Path, read
from npnets.checkpoint.decoding import Json, decode
from npnets.checkpoint.registry import own_classes
from npnets.files.fault import Fault
from npnets.files.quoting import plain
from npnets.tree import Tree

_CALLS = {"$call": "arguments", "$namedtuple": "fields"}


class Contents(NamedTuple):
    """The content of a file: `metadata`, a text for each entry, and `params`, with dicts in place of named tuples."""

    metadata: dict[str, str]
    params: Tree


def inspect(path: Path) -> Contents:
    """Read a file for display.

    Raises
    ------
    ValueError, ImportError, OSError
        As `load`, except for unknown classes.
    """
    return read(path, "inspect(path)", _contents)


def _contents(content: dict[str, Json], arrays: dict[str, Array]) -> Contents:
    metadata = {plain(key): _text(value) for key, value in _entries(content["metadata"])}
    return Contents(metadata, decode(_with_dicts(content["params"]), arrays, {}, "params"))


def _text(encoded: Json) -> str:
    """Return a value as the call that makes it, as short as its `repr` if it can be made."""
    try:
        return repr(decode(encoded, {}, own_classes(), "metadata"))
    except Fault:
        return _spelled_out(encoded)


def _spelled_out(encoded: Json) -> str:
    if isinstance(encoded, list):
        return f"[{', '.join(map(_text, encoded))}]"
    tag = _tag(encoded)
    if tag in _CALLS:
        return f"{plain(encoded[tag])}({', '.join(_named(encoded[_CALLS[tag]]))})"
    if tag == "$tuple":
        return f"({', '.join(map(_text, encoded[tag]))}{',' * (len(encoded[tag]) == 1)})"
    if tag == "$partial":
        parts = [_text(encoded[tag]), *map(_text, encoded["args"]), *_named(encoded["keywords"])]
        return f"partial({', '.join(parts)})"
    if tag not in ("", "$dict"):
        return plain(encoded[tag])
    return f"{{{', '.join(f'{key!r}: {_text(value)}' for key, value in _entries(encoded))}}}"


def _named(encoded: dict[str, Json]) -> list[str]:
    return [f"{plain(name)}={_text(value)}" for name, value in _entries(encoded)]


def _with_dicts(encoded: Json) -> Json:
    """Return a tree as JSON with dicts in place of named tuples, and with printable keys."""
    if isinstance(encoded, list):
        return [_with_dicts(part) for part in encoded]
    if not isinstance(encoded, dict):
        return encoded
    tag = _tag(encoded)
    if tag == "$tuple":
        return {tag: _with_dicts(encoded[tag])}
    if tag not in ("", "$dict", "$namedtuple"):
        return encoded
    parts = encoded["fields"].items() if tag == "$namedtuple" else _entries(encoded)
    return {"$dict": {plain(key): _with_dicts(part) for key, part in parts}}


def _tag(encoded: dict[str, Json]) -> str:
    """Return the tag of an object, or an empty string for a plain dict."""
    first = next(iter(encoded), "")
    return first if first.startswith("$") else ""


def _entries(encoded: dict[str, Json]) -> ItemsView[str, Json]:
    entries: dict[str, Json] = encoded["$dict"] if _tag(encoded) == "$dict" else encoded
    return entries.items()

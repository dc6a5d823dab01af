"""A checkpoint as it is shown: the text of its metadata, and its tree, whatever classes the file names.

Classes of a user's own are not needed, because a class that is not npnets' is shown as the call that would make it.
What a file says reaches a terminal, so that no text of it comes through with anything that is not printable.
"""

from collections.abc import ItemsView
from typing import Any, NamedTuple

from npnets.backend import Array
from npnets.checkpoint.decoding import decode
from npnets.checkpoint.faults import Fault, plain
from npnets.checkpoint.files import Path, read
from npnets.checkpoint.known import CLASSES
from npnets.tree import Tree

_CALLS = {"$call": "arguments", "$namedtuple": "fields"}


class Shown(NamedTuple):
    """The content of a file: `metadata`, a text for each entry, and `params`, with dicts in place of named tuples."""

    metadata: dict[str, str]
    params: Tree


def show(path: Path) -> Shown:
    """Read a file for showing it.

    Raises
    ------
    ValueError, ImportError, OSError
        As `load`, except that no class needs to be known.
    """
    return read(path, "show(path)", _shown)


def _shown(content: dict[str, Any], arrays: dict[str, Array]) -> Shown:
    metadata = {plain(key): _text(value) for key, value in _entries(content["metadata"])}
    return Shown(metadata, decode(_with_dicts(content["params"]), arrays, {}, "params"))


def _text(encoded: Any) -> str:
    """Return a value as the call that makes it, as short as its `repr` if it can be made."""
    try:
        return repr(decode(encoded, {}, CLASSES, "metadata"))
    except Fault:
        return _spelled_out(encoded)


def _spelled_out(encoded: Any) -> str:
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


def _named(encoded: dict[str, Any]) -> list[str]:
    return [f"{plain(name)}={_text(value)}" for name, value in _entries(encoded)]


def _with_dicts(encoded: Any) -> Any:
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


def _tag(encoded: dict[str, Any]) -> str:
    """Return the key that tells what an object stands for, or nothing for a plain dict."""
    first = next(iter(encoded), "")
    return first if first.startswith("$") else ""


def _entries(encoded: dict[str, Any]) -> ItemsView[str, Any]:
    entries: dict[str, Any] = encoded["$dict"] if _tag(encoded) == "$dict" else encoded
    return entries.items()

"""Differences between the names and shapes that a network has and those that were found, with their likely cause."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from npnets.files.quoting import listed, nearest, quoted

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""The shape of each array, by its name."""

FoundShapes: TypeAlias = Mapping[str, tuple[int, ...] | None]
"""The same for values that came; `None` for one that is not an array."""


def differences(expected: Shapes, found: FoundShapes) -> list[str]:
    """Return the differences of names and shapes, each to follow the word "it"; none if all fit."""
    missing, extra, misshapen = _compared(expected, found)
    parts = []
    if missing:
        parts.append(f"lacks {listed(missing, lambda name: _missing(name, expected, extra, found))}")
    if extra:
        parts.append(f"has {listed(extra, lambda name: _with_shape(name, found))} besides")
    if misshapen:
        shapes = listed(misshapen, lambda name: f"{found[name]} for {quoted(name)}, which must be {expected[name]}")
        parts.append(f"has the shape {shapes}")
    return parts


def likely_cause(expected: Shapes, found: FoundShapes, parts: Sequence[str] = ()) -> str:
    """Return the likely cause of differences, as a question or advice; `parts` are those of the whole state dict."""
    missing, extra, misshapen = _compared(expected, found)
    if len(missing) == len(expected):
        hint = f", or is another part (prefix) meant: it has the parts {listed(parts, most=12)}" if parts else ""
        return f"is it another network's{hint}?"
    by_shapes = _cause_by_shapes([(expected[name], found[name]) for name in misshapen])
    return by_shapes or _cause_by_names([*missing, *extra])


def _cause_by_shapes(pairs: Sequence[tuple[tuple[int, ...], tuple[int, ...] | None]]) -> str:
    members = [there[0] for here, there in pairs if there and (len(here), len(there)) == (2, 3)]
    if members:
        return f"it is an ensemble's: make the network with functools.partial(npnets.EnsembleLinear, {members[0]})"
    if any((len(here), len(there or ())) == (3, 2) for here, there in pairs):
        return "is it of a single network, and not of an ensemble?"
    if pairs and all(len(here) == 2 and there == here[::-1] for here, there in pairs):
        return "weights are transposed: they are (out, in) in Tianshou, and (in, out) in npnets"
    return ""


def _cause_by_names(names: Sequence[str]) -> str:
    sides = "the same on both sides?"
    if any("sigma" in name for name in names):
        return f"is conditioned_sigma {sides}"
    if any(name.split(".")[0] in ("Q", "V") for name in names):
        return f"is dueling_param {sides}"
    if any(part in ("nn", "lstm") for name in names for part in name.split(".")):
        return f"is layer_num {sides}"
    if names and all("bias" in name for name in names):
        return "has one side layers without bias?"
    if names:
        return f"are hidden_sizes, norm_layer and activation (None or not) {sides}"
    return f"are hidden_sizes and the shapes of observations and actions {sides}"


def _compared(expected: Shapes, found: FoundShapes) -> tuple[list[str], list[str], list[str]]:
    """Return the names that are missing, those that are left over, and those of another shape."""
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    return missing, extra, [n for n in expected if n in found and found[n] != expected[n]]


def _missing(name: str, expected: Shapes, extra: list[str], found: FoundShapes) -> str:
    """Return a missing name, with the nearest of those that are left over."""
    same_ending = [other for other in extra if other.endswith(f".{name}")]
    close = min(same_ending, key=lambda n: found[n] != expected[name]) if same_ending else nearest(name, extra)
    hint = f" (nearest: {_with_shape(close, found)})" if close else ""
    return f"{quoted(name)} of shape {expected[name]}{hint}"


def _with_shape(name: str, shapes: FoundShapes) -> str:
    return quoted(name) if shapes[name] is None else f"{quoted(name)} of shape {shapes[name]}"

"""What is said when names or shapes are not those that a network has: all in one message, with the likely cause."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Shapes: TypeAlias = Mapping[str, Any]
"""The shape of each array by its name, `None` for what is no array."""

MOST = 4
_LONGEST, _MOST_CANDIDATES = 200, 200


def quoted(name: str) -> str:
    """Return a name as Python writes it, cut off where it is long."""
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}...")


def listed(names: Sequence[str], say: Callable[[str], str] = quoted, most: int = MOST) -> str:
    """Return what is to be said of names in a row, of no more than a few of them."""
    return ", ".join(map(say, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def faults_of(expected: Shapes, found: Shapes) -> list[str]:
    """Return what is wrong with names and shapes, each to follow the word "it"; nothing if all fit."""
    missing, left_over, misshapen = _compared(expected, found)
    faults = []
    if missing:
        faults.append(f"lacks {listed(missing, lambda name: _missing(name, expected, left_over, found))}")
    if left_over:
        faults.append(f"has {listed(left_over, lambda name: _with_shape(name, found))} besides")
    if misshapen:
        shapes = listed(misshapen, lambda name: f"{found[name]} for {quoted(name)}, which must be {expected[name]}")
        faults.append(f"has the shape {shapes}")
    return faults


def cause_of(expected: Shapes, found: Shapes, parts: Sequence[str] = ()) -> str:
    """Return the likely cause of faults, as a question or an advice; `parts` are those of the whole state dict."""
    missing, left_over, misshapen = _compared(expected, found)
    if len(missing) == len(expected):
        hint = f", or is another part (prefix) meant: it has the parts {listed(parts, most=12)}" if parts else ""
        return f"is it another network's{hint}?"
    of_shapes = _cause_of_shapes([(expected[name], found[name]) for name in misshapen])
    return of_shapes or _cause_of_names([*missing, *left_over])


def _cause_of_shapes(pairs: Sequence[tuple[Any, Any]]) -> str:
    members = [there[0] for here, there in pairs if (len(here), len(there or ())) == (2, 3)]
    if members:
        return f"it is an ensemble's: make the network with functools.partial(npnets.EnsembleLinear, {members[0]})"
    if any((len(here), len(there or ())) == (3, 2) for here, there in pairs):
        return "is it of a single network, and not of an ensemble?"
    if pairs and all(len(here) == 2 and there == here[::-1] for here, there in pairs):
        return "weights are transposed: they are (out, in) in Tianshou, and (in, out) in npnets"
    return ""


def _cause_of_names(apart: Sequence[str]) -> str:
    sides = "the same on both sides?"
    if any("sigma" in name for name in apart):
        return f"is conditioned_sigma {sides}"
    if any(name.split(".")[0] in ("Q", "V") for name in apart):
        return f"is dueling_param {sides}"
    if any(part in ("nn", "lstm") for name in apart for part in name.split(".")):
        return f"is layer_num {sides}"
    if apart and all("bias" in name for name in apart):
        return "has one side layers without bias?"
    if apart:
        return f"are hidden_sizes, norm_layer and activation (None or not) {sides}"
    return f"are hidden_sizes and the shapes of observations and actions {sides}"


def _compared(expected: Shapes, found: Shapes) -> tuple[list[str], list[str], list[str]]:
    missing = [name for name in expected if name not in found]
    left_over = [name for name in found if name not in expected]
    return missing, left_over, [n for n in expected if n in found and found[n] != expected[n]]


def _missing(name: str, expected: Shapes, left_over: list[str], found: Shapes) -> str:
    """Name what is missing, with what is left over and nearest to it."""
    import difflib  # here, because only an error needs it

    same = [other for other in left_over if other.endswith(f".{name}")]
    candidates = [other for other in left_over[:_MOST_CANDIDATES] if len(other) <= _LONGEST]
    near = sorted(same, key=lambda n: found[n] != expected[name]) or difflib.get_close_matches(name, candidates, n=1)
    hint = f" (nearest: {_with_shape(near[0], found)})" if near else ""
    return f"{quoted(name)} of shape {expected[name]}{hint}"


def _with_shape(name: str, shapes: Shapes) -> str:
    return quoted(name) if shapes[name] is None else f"{quoted(name)} of shape {shapes[name]}"

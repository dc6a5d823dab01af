"""Comparison of a tree that was loaded with the one expected: keys, shapes and dtypes."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from npnets import tree
from npnets.common.spec import own_spec, shapes_of
from npnets.dtypes import COMPUTED
from npnets.files.fault import Fault
from npnets.files.quoting import listed, nearest, printable, quoted
from npnets.tree import Tree

_Keys: TypeAlias = tuple[str, ...]


def check_like(found: Tree, expected: object) -> None:
    """Check that a tree has the keys of another, and at its leaves the same shapes and dtypes.

    Parameters
    ----------
    found : tree
    expected : network or tree
        For a network, the parameters that it declares, all in one dtype that networks compute in.

    Raises
    ------
    Fault
        If they differ; the message names all differences, up to a few of each kind.
    """
    if isinstance(expected, type):
        raise TypeError(f"like must be a network or a tree of arrays, but is {expected!r}; call the class to make one")
    owner = ""
    if own_spec(expected) is not None or (hasattr(expected, "init") and hasattr(expected, "forward")):
        owner = f" that {printable(repr(expected)[:80])} declares"
        expected = shapes_of(expected, _dtype_of(found))
    came, due = dict(_nodes(found, ())), dict(_nodes(expected, ()))
    missing, extra = _without(came, due), _without(due, came)
    differing = [keys for keys in due if keys in came and came[keys] != due[keys]]
    if missing or extra or differing:
        others = [".".join(keys) for keys in extra]
        faults = [
            _listed("lacks", missing, lambda keys: f"{_path(keys)}{_hint(keys, others)}"),
            _listed("has besides", extra, _path),
            _listed("differs at", differing, lambda k: f"{_path(k)}: expected {due[k]}, but it is {came[k]}"),
        ]
        raise Fault(
            f"its tree is not like the one{owner or ' expected'}: it {'; it '.join(filter(None, faults))}; was it "
            "saved for another network?"
        )


def _without(present: dict[_Keys, str], nodes: dict[_Keys, str]) -> list[_Keys]:
    """Return the paths of nodes that are not present, the topmost alone of those that are missing together."""
    return [keys for keys in nodes if keys not in present and keys[:-1] in present]


def _dtype_of(found: Tree) -> str:
    """Return the dtype that all leaves must have: that of the first if a network can compute in it, else float32."""
    dtypes = (getattr(leaf, "dtype", None) for leaf in tree.leaves(found))
    return next((str(dtype) for dtype in dtypes if dtype in COMPUTED), "float32")


def _nodes(part: Tree, keys: _Keys) -> Iterator[tuple[_Keys, str]]:
    """Go through all leaves and containers of a tree, each with its path and a description."""
    if isinstance(part, dict):
        yield keys, "a dict"
        for key, value in part.items():
            yield from _nodes(value, (*keys, str(key)))
    elif isinstance(part, (list, tuple)):
        yield keys, f"a {type(part).__name__}"
        for index, value in enumerate(part):
            yield from _nodes(value, (*keys, str(index)))
    else:
        yield keys, f"{part.dtype} {part.shape}" if hasattr(part, "dtype") else f"a {type(part).__name__}"


def _listed(verb: str, places: list[_Keys], text: Callable[[_Keys], str]) -> str:
    return f"{verb} {listed(places, text)}" if places else ""


def _hint(keys: _Keys, others: list[str]) -> str:
    close = nearest(".".join(keys), others, cutoff=0.8)
    return f" (is it {quoted(close)}?)" if close else ""


def _path(keys: _Keys) -> str:
    return quoted(".".join(keys)) if keys else "the root"

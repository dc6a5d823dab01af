"""The definition of a tree, and its traversal: mapping, the paths and the order of leaves.

Independent of arrays: every object that is no dict, list or tuple is a leaf.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar, overload

Tree: TypeAlias = Any
"""Nested dicts, lists and tuples with arrays at the leaves; or a single array."""

Params: TypeAlias = dict[str, Any]
"""A network's parameters: nested dicts with arrays at the leaves, so that `params["last"]["weight"]` needs no cast."""

Key = TypeVar("Key")


@overload
def map(fun: Callable[..., Any], tree: dict[Key, Any], *rest: Tree) -> dict[Key, Any]: ...


@overload
def map(fun: Callable[..., Any], tree: list[Any], *rest: Tree) -> list[Any]: ...


@overload
def map(fun: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree: ...


def map(fun: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply a function to each leaf, or to the leaves at the same place of several trees.

    Parameters
    ----------
    fun : callable
        Called with one leaf of each tree.
    tree : tree
        The structure of the result.
    *rest : tree
        Further trees of the same structure; the order of a dict's keys does not matter.

    Returns
    -------
    tree
        A new tree with the results at its leaves.

    Raises
    ------
    TypeError
        If `fun` is no function.
    ValueError
        If a tree has other keys or another length somewhere; the message names the place.
    """
    if not callable(fun):
        raise TypeError(f"expected a function of a leaf, but got {fun!r:.60}; the order is tree.map(fun, tree, *rest)")
    if not rest:
        return _map_one(fun, tree)
    try:
        return _map(fun, tree, rest)
    except _Mismatch as mismatch:
        raise ValueError(mismatch.message()) from None


def unzip(count: int, fun: Callable[..., tuple[Any, ...]], tree: Tree, *rest: Tree) -> tuple[Tree, ...]:
    """Apply a function that returns several values to each leaf: as `map`, with a tree for each of them.

    Parameters
    ----------
    count : int
        How many values it returns.
    fun : callable
        Called with one leaf of each tree.
    tree, *rest : tree
        As in `map`.

    Returns
    -------
    tuple of trees

    Raises
    ------
    ValueError
        As `map`.
    """
    if not callable(fun):
        raise TypeError(
            f"expected a function of a leaf, but got {fun!r:.60}; the order is tree.unzip(count, fun, tree, *rest)"
        )

    return from_rows(tree, iter([fun(*row) for row in rows_of(tree, *rest)]), count)


def rows_of(tree: Tree, *rest: Tree) -> list[tuple[Any, ...]]:
    """Return the leaves at the same place of several trees side by side, in the order of the first tree's keys."""
    found: list[tuple[Any, ...]] = []
    if not _add_rows((tree, *rest), found):  # dicts in another order, or something that differs
        found = []
        map(lambda *row: found.append(row), tree, *rest)
    return found


def from_rows(tree: Tree, rows: Iterator[tuple[Any, ...]], count: int) -> tuple[Tree, ...]:
    """Return `count` trees of a tree's structure: each row has, in the order of `rows_of`, a leaf of each of them."""
    if not isinstance(tree, _CONTAINERS):
        return next(rows)
    values = tree.values() if isinstance(tree, dict) else tree
    parts = [from_rows(part, rows, count) if isinstance(part, _CONTAINERS) else next(rows) for part in values]
    columns = zip(*parts, strict=True) if parts else [()] * count
    if isinstance(tree, dict):  # without a call for each column, which shows in small networks
        return tuple([dict(zip(tree, column, strict=True)) for column in columns])
    return tuple([sequence_like(tree, column) for column in columns])


def leaves(tree: Tree) -> list[Any]:
    """Return the leaves of a tree, dicts in the order of their sorted keys."""
    found: list[Any] = []
    _collect(tree, found)
    return found


def paths(tree: Tree) -> list[str]:
    """Return the path of each leaf, such as `"last.linear_0.weight"`, in the order of `leaves`."""
    return [path for path, _ in walk(tree)]


class _Mismatch(Exception):
    """Two trees differ somewhere; each level it passes adds its key, so that paths cost nothing while all is well."""

    def __init__(self, before: str, after: str) -> None:
        self.before, self.after, self.keys = before, after, list[Any]()

    def message(self) -> str:
        place = ".".join(str(key) for key in reversed(self.keys)) or "the root"
        return f"{self.before} at {place!r}{self.after}"


_CONTAINERS = (dict, list, tuple)


def _map_one(fun: Callable[[object], object], tree: Tree) -> Tree:
    if isinstance(tree, dict):  # no call of this function for each leaf, which would show in small networks
        return {key: _map_one(fun, part) if isinstance(part, _CONTAINERS) else fun(part) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        return sequence_like(tree, [_map_one(fun, part) for part in tree])
    return fun(tree)


def _add_rows(trees: tuple[Tree, ...], found: list[tuple[Any, ...]]) -> bool:
    """Add the leaves of trees side by side, and return whether all are dicts with equal keys in the same order."""
    first = trees[0]
    if type(first) is not dict:
        found.append(trees)
        return not any([isinstance(tree, _CONTAINERS) for tree in trees])
    keys = [*first]
    for tree in trees[1:]:
        if type(tree) is not dict or [*tree] != keys:
            return False
    for row in zip(*[tree.values() for tree in trees], strict=True):
        if not isinstance(row[0], _CONTAINERS):
            found.append(row)
        elif not _add_rows(row, found):
            return False
    return True


def _container_like(container: Tree, parts: Iterable[object]) -> Tree:
    """Return a dict with another's keys, or a sequence of another's class, made of new parts."""
    return dict(zip(container, parts, strict=True)) if isinstance(container, dict) else sequence_like(container, parts)


def _map(fun: Callable[..., Any], tree: Tree, rest: Sequence[Tree]) -> Any:
    """Apply a function to the leaves of several trees."""
    if not isinstance(tree, _CONTAINERS):
        for other in rest:
            if isinstance(other, _CONTAINERS):
                raise _Mismatch("expected one array", f", but got a {type(other).__name__}")
        return fun(tree, *rest)
    keys = tree.keys() if isinstance(tree, dict) else None
    for other in rest:
        if keys is None:
            _check_same_length(tree, other)
        elif type(other) is not dict or keys != other.keys():
            _check_same_keys(tree, other)
    parts: list[Any] = []
    key: Any = None
    try:
        for key in range(len(tree)) if keys is None else keys:
            parts.append(_map(fun, tree[key], [other[key] for other in rest]))
    except _Mismatch as mismatch:
        mismatch.keys.append(key)
        raise
    return _container_like(tree, parts)


def _collect(tree: Tree, found: list[object]) -> None:
    if isinstance(tree, dict):
        for key in sorted(tree):
            _collect(tree[key], found)
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            _collect(part, found)
    else:
        found.append(tree)


def walk(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each leaf, in the order of `leaves`; paths begin with the given one."""
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from walk(tree[key], _join(path, key))
    elif isinstance(tree, (list, tuple)):
        for index, part in enumerate(tree):
            yield from walk(part, _join(path, index))
    else:
        yield path, tree


def rebuild(tree: Tree, pieces: Iterator[Any]) -> Tree:
    """Return a tree of the same structure with other leaves, which come in the order of `leaves`."""
    if isinstance(tree, dict):
        rebuilt = {key: rebuild(tree[key], pieces) for key in sorted(tree)}
        return {key: rebuilt[key] for key in tree}
    if isinstance(tree, (list, tuple)):
        return sequence_like(tree, [rebuild(part, pieces) for part in tree])
    return next(pieces)


def sequence_like(tree: list[Any] | tuple[Any, ...], parts: Iterable[Any]) -> Tree:
    """Return parts as a list, tuple or named tuple, whichever another sequence is."""
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _check_same_keys(tree: Tree, other: Tree) -> None:
    if not isinstance(other, dict):
        raise _Mismatch("expected a dict", f", but got a {type(other).__name__}")
    if tree.keys() != other.keys():
        missing, extra = sorted(tree.keys() - other.keys()), sorted(other.keys() - tree.keys())
        raise _Mismatch(
            "two trees differ",
            f": the second lacks {missing} and has {extra} besides; were they made by two different networks?",
        )


def _check_same_length(tree: Tree, other: Tree) -> None:
    if not isinstance(other, (list, tuple)) or len(other) != len(tree):
        size = f"length {len(other)}" if isinstance(other, (list, tuple)) else type(other).__name__
        raise _Mismatch(f"expected a sequence of length {len(tree)}", f", but got {size}")

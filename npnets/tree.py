"""Trees of arrays: nested dicts (lists and tuples are accepted too) with arrays at their leaves.

Owns mapping over trees, the names of leaves, the way to one flat vector and back, and to another device. Knows nothing
of networks or of derivatives: whatever is no dict, list or tuple is a leaf. A leaf's *path* is the keys that lead to
it, joined by dots: `"last.linear_0.weight"`. `leaves`, `paths` and `ravel` go through dicts in the order of their
sorted keys, so that equal trees give equal vectors, whichever way they were built.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from npnets import backend
from npnets.backend import Array, Device, namespace

Tree: TypeAlias = Any
"""Nested dicts, lists and tuples with arrays at the leaves; or a single array."""


def map(fun: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply a function to each leaf, or to the leaves at the same place of several trees.

    Parameters
    ----------
    fun : callable
        Called with one leaf of each tree.
    tree : tree
        Gives the structure of the answer.
    *rest : tree
        Further trees of the same structure; the order of a dict's keys does not matter.

    Returns
    -------
    tree
        A new tree with the answers at its leaves.

    Raises
    ------
    ValueError
        If a tree has other keys or another length somewhere; the message names the place.
    """
    try:
        return _map(fun, tree, rest)
    except _Mismatch as mismatch:
        raise ValueError(mismatch.message()) from None


def unzip(count: int, fun: Callable[..., tuple[Any, ...]], tree: Tree, *rest: Tree) -> tuple[Tree, ...]:
    """Apply a function that answers with several values to each leaf: as `map`, with a tree for each of them.

    Parameters
    ----------
    count : int
        How many values it answers with.
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
    answers = map(lambda *parts: _Answers(fun(*parts)), tree, *rest)
    return tuple(map(lambda answer, index=index: answer.values[index], answers) for index in range(count))


def leaves(tree: Tree) -> list[Any]:
    """Return the leaves of a tree, dicts in the order of their sorted keys."""
    found: list[Any] = []
    _collect(tree, found)
    return found


def paths(tree: Tree) -> list[str]:
    """Return the path of each leaf, such as `"last.linear_0.weight"`, in the order of `leaves`."""
    return [path for path, _ in _walk(tree, "")]


def ravel(tree: Tree) -> tuple[Array, Callable[[Array], Tree]]:
    """Lay all leaves of a tree out in one vector, as optimizers such as SciPy's expect.

    Parameters
    ----------
    tree : tree of arrays
        All of one dtype.

    Returns
    -------
    vector : (n,) array
        The leaves one after the other, in the order of `leaves`, in their dtype.
    unravel : callable
        Takes an `(n,)` vector to a tree of the same structure, whose leaves are views of that vector.

    Raises
    ------
    TypeError
        If the leaves differ in dtype; from `unravel`, if the vector holds numbers of another kind.
    ValueError
        If the tree has no leaves; from `unravel`, if the vector has another shape than `(n,)`.
    """
    parts = leaves(tree)
    if not parts:
        raise ValueError("the tree has no leaves; expected at least one array")
    _require_one_dtype(tree)
    backend.require_one_device(parts, lambda: "the leaves of a tree to ravel", lambda: paths(tree))
    shapes, kind = [part.shape for part in parts], parts[0].dtype.kind
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()

    def unravel(vector: Array) -> Tree:
        if not hasattr(vector, "dtype") or vector.dtype.kind != kind:
            raise TypeError(f"expected an array of the kind that ravel gave, {parts[0].dtype}, but got {vector!r:.60}")
        if vector.shape != (ends[-1],):
            raise ValueError(f"expected a vector of shape ({ends[-1]},) as ravel gave it, but got shape {vector.shape}")
        pieces = [vector[start:end].reshape(s) for start, end, s in zip([0, *ends], ends, shapes, strict=False)]
        return _rebuild(tree, iter(pieces))

    with backend.current_device(parts[0]):
        return namespace(parts[0]).concatenate([part.reshape(-1) for part in parts]), unravel


def to_device(tree: Tree, device: Device) -> Tree:
    """Bring all arrays of a tree to a device: parameters, an optimizer's state, a batch.

    Parameters
    ----------
    tree : tree
        Leaves that are no arrays, such as the step that an optimizer counts, stay as they are.
    device : str, int or None
        `"cpu"` or `None`; `"cuda"` for the first GPU; `"cuda:1"` or `1` for the second. `npnets.backend.available()`
        lists those that there are.

    Returns
    -------
    tree
        A new tree; arrays that lie on that device already are not copied.

    Raises
    ------
    ImportError
        If a GPU is asked for and CuPy is not installed, or does not load.
    RuntimeError
        If there is no driver, the driver is too old, or that GPU is not there.
    TypeError
        If a leaf is a network, which holds no arrays.
    ValueError
        If that is no device.
    """
    backend.parse_device(device)
    return map(lambda leaf: _moved(leaf, device), tree)


def _moved(leaf: Any, device: Device) -> Any:
    if hasattr(leaf, "forward"):
        raise TypeError(f"a network holds no arrays: move its parameters, not {leaf!r:.80}")
    return backend.place(leaf, device) if hasattr(leaf, "dtype") else leaf


def to_numpy(tree: Tree) -> Tree:
    """Return a tree with all its CuPy arrays copied from their GPUs; what is NumPy's already is not copied."""
    return map(backend.to_numpy, tree)


class _Answers:
    """What a function of `unzip` answered, as a single leaf: a plain tuple would count as a part of the tree."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values


class _Mismatch(Exception):
    """Two trees differ somewhere; each level it passes adds its key, so that paths cost nothing while all is well."""

    def __init__(self, before: str, after: str) -> None:
        self.before, self.after, self.keys = before, after, list[Any]()

    def message(self) -> str:
        place = ".".join(str(key) for key in reversed(self.keys)) or "the root"
        return f"{self.before} at {place!r}{self.after}"


def _map(fun: Callable[..., Any], tree: Tree, rest: Sequence[Tree]) -> Tree:
    if isinstance(tree, dict):
        for other in rest:
            _require_same_keys(tree, other)
        if not rest:
            return {key: _map(fun, part, ()) for key, part in tree.items()}
        return {key: _map_part(fun, key, part, [other[key] for other in rest]) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        for other in rest:
            _require_same_length(tree, other)
        columns = enumerate(zip(tree, *rest, strict=True))
        return sequence_like(tree, [_map_part(fun, index, column[0], column[1:]) for index, column in columns])
    for other in rest:
        if isinstance(other, (dict, list, tuple)):
            raise _Mismatch("expected one array", f", but got a {type(other).__name__}")
    return fun(tree, *rest)


def _map_part(fun: Callable[..., Any], key: object, part: Tree, rest: Sequence[Tree]) -> Tree:
    try:
        return _map(fun, part, rest)
    except _Mismatch as mismatch:
        mismatch.keys.append(key)
        raise


def _collect(tree: Tree, found: list[Any]) -> None:
    if isinstance(tree, dict):
        for key in sorted(tree):
            _collect(tree[key], found)
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            _collect(part, found)
    else:
        found.append(tree)


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from _walk(tree[key], _join(path, key))
    elif isinstance(tree, (list, tuple)):
        for index, part in enumerate(tree):
            yield from _walk(part, _join(path, index))
    else:
        yield path, tree


def _rebuild(tree: Tree, pieces: Iterator[Array]) -> Tree:
    if isinstance(tree, dict):
        rebuilt = {key: _rebuild(tree[key], pieces) for key in sorted(tree)}
        return {key: rebuilt[key] for key in tree}
    if isinstance(tree, (list, tuple)):
        return sequence_like(tree, [_rebuild(part, pieces) for part in tree])
    return next(pieces)


def sequence_like(tree: list[Any] | tuple[Any, ...], parts: list[Any]) -> Tree:
    """Return parts as a list, tuple or named tuple, whichever another sequence is."""
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _require_same_keys(tree: dict[str, Any], other: Tree) -> None:
    if not isinstance(other, dict):
        raise _Mismatch("expected a dict", f", but got a {type(other).__name__}")
    if tree.keys() != other.keys():
        missing, extra = sorted(tree.keys() - other.keys()), sorted(other.keys() - tree.keys())
        raise _Mismatch(
            "two trees differ",
            f": the second lacks {missing} and has {extra} besides; were they made by two different networks?",
        )


def _require_same_length(tree: Tree, other: Tree) -> None:
    if not isinstance(other, (list, tuple)) or len(other) != len(tree):
        size = f"length {len(other)}" if isinstance(other, (list, tuple)) else type(other).__name__
        raise _Mismatch(f"expected a sequence of length {len(tree)}", f", but got {size}")


def _require_one_dtype(tree: Tree) -> None:
    for path, leaf in _walk(tree, ""):
        if not hasattr(leaf, "dtype"):
            raise TypeError(f"expected an array at {path!r}, but got a {type(leaf).__name__}")
    dtypes = {str(leaf.dtype): path for path, leaf in _walk(tree, "")}
    if len(dtypes) > 1:
        found = ", ".join(f"{dtype} (at {path!r})" for dtype, path in dtypes.items())
        raise TypeError(f"expected leaves of one dtype, but got {found}; bring them to one dtype first")

"""The way from a tree, or a part of it, to one flat vector and back: what optimizers that know no trees work on."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from npnets import backend
from npnets.backend import Array, namespace
from npnets.dtypes import check_plain
from npnets.tree.structure import Tree, leaves, map, rebuild, walk

T = TypeVar("T")


@dataclass(frozen=True)
class _Place:
    """Where in a vector a leaf lies, and its shape; it stands for that leaf in a tree."""

    piece: slice
    shape: tuple[int, ...]


class Unravel(Generic[T]):
    """The way back from a vector to a tree, as `ravel` makes it; it can be pickled, and sent to other processes.

    Attributes
    ----------
    slices : dict of str to slice
        Which part of the vector each leaf fills, by the leaf's path, in the order of `leaves`.
    size : int
        Length of the vector.
    dtype : numpy.dtype
        Of the leaves, and of the vector that `ravel` gave.
    """

    def __init__(self, places: dict[str, _Place], template: Tree, dtype: Any) -> None:
        self.slices = {path: place.piece for path, place in places.items()}
        self.size = sum(piece.stop - piece.start for piece in self.slices.values())
        self.dtype = dtype
        self._template = template
        self._frozen = any(not isinstance(leaf, _Place) for leaf in leaves(template))

    def __call__(self, vector: Array) -> T:
        """Make a tree of a vector.

        Parameters
        ----------
        vector : (size,) array
            Of any dtype of the same kind: leaves follow the vector's dtype. Where leaves were left out, of `dtype`.

        Returns
        -------
        tree
            As the one that was ravelled. Its leaves are views of the vector; those that were left out of the vector
            are the very arrays of that tree.

        Raises
        ------
        TypeError
            If the vector holds numbers of another kind, or of another dtype than leaves that were left out.
        ValueError
            If it has another shape.
        """
        if not hasattr(vector, "dtype") or vector.dtype.kind != self.dtype.kind:
            raise TypeError(f"expected an array of the kind that ravel gave, {self.dtype}, but got {vector!r:.60}")
        if self._frozen and vector.dtype != self.dtype:
            raise TypeError(
                f"expected a vector of {self.dtype}, as ravel gave it beside leaves left out, but got {vector.dtype}; "
                "cast what SciPy gives: unravel(vector.astype(unravel.dtype))"
            )
        if vector.shape != (self.size,):
            raise ValueError(
                f"expected a vector of shape ({self.size},) as ravel gave it, but got shape {vector.shape}"
            )
        made: Tree = map(lambda leaf: _view(vector, leaf) if isinstance(leaf, _Place) else leaf, self._template)
        return made


def ravel(tree: T, only: Callable[[str], bool] | None = None) -> tuple[Array, Unravel[T]]:
    """Lay the leaves of a tree, all or some, out in one vector, as optimizers such as SciPy's expect.

    Parameters
    ----------
    tree : tree of arrays
        Those that go into the vector are of one dtype.
    only : callable, optional
        Says of a leaf's path whether the leaf goes into the vector, such as `lambda path: path.startswith("last")`.
        The others are frozen: `unravel` puts them back as they were.

    Returns
    -------
    vector : (n,) array
        The leaves one after the other, in the order of `leaves`, in their dtype.
    unravel : Unravel
        Takes an `(n,)` vector to a tree of the same structure, whose leaves are views of that vector;
        `unravel.slices` says which part of it belongs to which leaf.

    Raises
    ------
    TypeError
        If the leaves differ in dtype, or `only` is no function; from `unravel`, if the vector holds numbers of another
        kind.
    ValueError
        If there are no leaves, or `only` leaves none over; if two have one path, because a key holds a dot; from
        `unravel`, if the vector has another shape than `(n,)`.
    """
    found = list(walk(tree))
    chosen = _chosen(found, only)
    _check_one_dtype(chosen)
    parts = list(chosen.values())
    backend.check_one_device(parts, lambda: "the leaves of a tree to ravel", lambda: list(chosen))
    ends = [0, *itertools.accumulate(math.prod(part.shape) for part in parts)]
    pieces = [slice(start, end) for start, end in itertools.pairwise(ends)]
    places = {p: _Place(piece, part.shape) for (p, part), piece in zip(chosen.items(), pieces, strict=True)}
    unravel: Unravel[T] = Unravel(
        places, rebuild(tree, iter([places.get(path, leaf) for path, leaf in found])), parts[0].dtype
    )
    with backend.using(parts[0]):
        return namespace(parts[0]).concatenate([part.reshape(-1) for part in parts]), unravel


def _view(vector: Array, place: _Place) -> Array:
    return vector[place.piece].reshape(place.shape)


def _chosen(found: list[tuple[str, Any]], only: Callable[[str], bool] | None) -> dict[str, Any]:
    """Return the leaves that go into the vector by their paths."""
    if not found:
        raise ValueError("the tree has no leaves; expected at least one array")
    by_path = dict(found)
    if len(by_path) < len(found):
        names = [path for path, _ in found]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two leaves have the path {twice!r}, so that a key of the tree must hold a dot; rename it")
    if only is None:
        return by_path
    if not callable(only):
        raise TypeError(f"only must be a function that says of a path whether its leaf is taken, but is {only!r:.60}")
    chosen = {path: leaf for path, leaf in found if only(path)}
    if not chosen:
        raise ValueError(f"only accepts none of the paths {list(by_path)}; expected at least one")
    return chosen


def _check_one_dtype(chosen: dict[str, Any]) -> None:
    for path, leaf in chosen.items():
        if not hasattr(leaf, "dtype"):
            raise TypeError(f"expected an array at {path!r}, but got a {type(leaf).__name__}")
        check_plain(leaf, f"what stands at {path!r}")
    dtypes = {leaf.dtype: path for path, leaf in chosen.items()}
    if len(dtypes) > 1:
        found = ", ".join(f"{dtype} (at {path!r})" for dtype, path in dtypes.items())
        raise TypeError(f"expected leaves of one dtype, but got {found}; bring them to one dtype first")

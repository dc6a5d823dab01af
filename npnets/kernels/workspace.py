"""Memory that is kept: room for large arrays that the next call takes again, when nobody holds them any more.

Fresh memory comes from the operating system page by page, which costs a large kernel as much as its arithmetic. Here a
thread keeps the arrays that it made, and hands one out again once the number of references to it says that nothing
else, no view of it either, is alive: what a user or a pending backward still holds is never given away. On a GPU CuPy
keeps memory itself.
"""

import sys
import threading
from collections import OrderedDict

import numpy as np

from npnets.backend import Array, namespace

LEAST_BYTES = 1 << 16
"""Smaller arrays are made anew: that is faster than to look for one."""

MOST_BYTES = 1 << 28
"""How much a thread keeps at most; beyond it, what was not taken for the longest time is let go."""


def _first_free(arrays: list[Array], references: int) -> Array | None:
    """Return the first array of a list that has no more references than those that the list and this loop make."""
    for array in arrays:
        if sys.getrefcount(array) <= references:
            return array
    return None


def _references_of_the_list_alone() -> int:
    """Return how many references the loop above sees where nobody else has one: that differs by Python's version."""
    arrays, count = [np.empty(0)], 1
    while _first_free(arrays, count) is None:
        count += 1
    return count


_NOBODY_ELSE = _references_of_the_list_alone()


class _Kept(threading.local):
    def __init__(self) -> None:
        self.arrays: OrderedDict[tuple[tuple[int, ...], str], list[Array]] = OrderedDict()
        self.bytes = 0


_kept = _Kept()


def room(like: Array, shape: tuple[int, ...]) -> Array:
    """Return an array of a shape with anything in it, of the dtype and on the device of another.

    Parameters
    ----------
    like : array
    shape : tuple of int

    Returns
    -------
    array
    """
    if namespace(like) is not np:
        return namespace(like).empty(shape, like.dtype)  # type: ignore[no-any-return]
    size = like.dtype.itemsize
    for width in shape:
        size *= width
    if size < LEAST_BYTES:
        return np.empty(shape, like.dtype)
    return _taken((shape, like.dtype.str), size)


def _taken(key: tuple[tuple[int, ...], str], size: int) -> Array:
    arrays = _kept.arrays.setdefault(key, [])
    _kept.arrays.move_to_end(key)
    free = _first_free(arrays, _NOBODY_ELSE)
    if free is not None:
        return free
    made: Array = np.empty(*key)
    if size <= MOST_BYTES:
        arrays.append(made)
        _kept.bytes += size
        _let_go()
    return made


def _let_go() -> None:
    while _kept.bytes > MOST_BYTES:
        key, arrays = next(iter(_kept.arrays.items()))
        if not arrays:
            del _kept.arrays[key]
            continue
        _kept.bytes -= arrays.pop().nbytes

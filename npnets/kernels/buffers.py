"""Memory that is kept: room for large arrays that the next call takes again, when nobody holds them any more.

Fresh memory comes from the operating system page by page, which costs a large kernel as much as its arithmetic. Here a
thread keeps the arrays that it made, and hands one out again once the number of references to it says that nothing
else, no view of it either, is alive: what a user or a pending backward still holds is never given away (a weak
reference does not count as holding). On a GPU CuPy keeps memory itself.

A signal handler, a finalizer or a debugger may run a forward pass between any two byte-codes of this file. Each call
therefore takes the whole pool of its thread away in one atomic step and puts it back when it is done: a call in the
middle of another finds none, starts with an empty one, and what it leaves is replaced. Once the pool is back, the
interrupted call holds the buffer that it is about to return.

Another thread may take a pool away in the same way, to free it. A call that has the pool meanwhile sees by its *era*
that it is not to stay.
"""

import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from npnets.backend import Array, namespace
from npnets.caches import bounded_cache
from npnets.log import logger

LEAST_BYTES = 1 << 16
"""Smaller arrays are made anew: that is faster than to look for one."""

MOST_OF_A_SHAPE = 32
"""How many arrays of one shape a thread keeps: those taken last. What is held for long, as parameters are, is forgotten
before what comes and goes with each step, and is freed by Python when it is let go."""


_Key: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]


class _Pool(OrderedDict[_Key, list[Array]]):
    """The arrays that a thread keeps, by shape and dtype; what was taken last stands at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.era = _era


class _Place(dict[str, _Pool]):
    """Where a thread's pool lies, under the key `"pool"`, while no call uses it."""


_of_thread = threading.local()
_places: "weakref.WeakValueDictionary[int, _Place]" = weakref.WeakValueDictionary()  # by the thread's number
_era = object()  # another one each time that all pools are freed
_limit = 1 << 28  # bytes that a thread keeps at most; beyond it, what was not taken for the longest time is let go
COUNTS_TELL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()  # without the lock, references are not all counted


# -- what is kept -----------------------------------------------------------------------------------------------------


def set_limit(most_bytes: int) -> int:
    """Set how many bytes each thread keeps at most, and return the number from before; a lower one frees all."""
    global _limit
    before, _limit = _limit, most_bytes
    if most_bytes < before:
        free()
    return before


def free() -> None:
    """Let go of what all threads keep; a thread that is taking an array right now does so afterwards."""
    global _era
    _era = object()
    for place in _all_places():
        place.pop("pool", None)


def held() -> int:
    """Return how many bytes all threads keep, in use or not."""
    pools = [place["pool"] for place in map(dict, _all_places()) if "pool" in place]
    return sum(array.nbytes for pool in pools for arrays in list(pool.values()) for array in arrays)


def _all_places() -> list[_Place]:
    return [place for reference in _places.valuerefs() if (place := reference()) is not None]


# -- products and arrays ----------------------------------------------------------------------------------------------


def product(a: Array, b: Array) -> Array:
    """Return the matrix product of two arrays, in room that is kept if it is large.

    Parameters
    ----------
    a, b : (..., n, k) and (..., k, m) arrays
        Of one dtype. The axes before the last two are equal, or one of the two has none.

    Returns
    -------
    (..., n, m) array
    """
    if type(a) is not np.ndarray and namespace(a) is not np:
        return np.matmul(a, b)
    rows, columns = a.shape[-2], b.shape[-1]
    is_large = rows * columns * a.itemsize >= LEAST_BYTES
    if a.ndim == 2 == b.ndim:  # `dot` hands a single row or column to BLAS too, and costs half of `matmul` where small
        return np.dot(a, b, out=scratch(a, (rows, columns))) if is_large else a.dot(b)
    if not is_large:
        return np.matmul(a, b)
    leading = max(a.shape[:-2], b.shape[:-2], key=len)
    return np.matmul(a, b, out=scratch(a, (*leading, rows, columns)))


def outer(a: Array, b: Array) -> Array:
    """Return the outer products of two arrays, `(..., 1, n)` and `(..., 1, m)`, as `product` would of `a`'s columns.

    For leading axes NumPy does a matrix product with one row by itself, and needs eight times as long for it as BLAS
    does with a row of zeros beside; where there is little to do, broadcasting is quicker.
    """
    if a.ndim == 2 or namespace(a) is not np:
        return product(a.swapaxes(-1, -2), b)
    if a.shape[-1] * b.shape[-1] < LEAST_BYTES >> 4:
        return a.swapaxes(-1, -2) * b
    return product(_with_zeros(a).swapaxes(-1, -2), _with_zeros(b))


def side_by_side(parts: Sequence[Array], axis: int) -> Array:
    """Return NumPy arrays joined along an axis, in room that is kept if they are large together."""
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return np.concatenate(parts, axis, out=scratch(parts[0], tuple(shape)))


def _with_zeros(row: Array) -> Array:
    rows = np.zeros((*row.shape[:-2], 2, row.shape[-1]), row.dtype)
    rows[..., :1, :] = row
    return rows


def scratch(like: Array, shape: tuple[int, ...]) -> Array:
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
        return namespace(like).empty(shape, like.dtype)
    size = like.dtype.itemsize
    for width in shape:
        size *= width
    if size < LEAST_BYTES or size > _limit:
        return np.empty(shape, like.dtype)
    if not COUNTS_TELL:
        _say_that_nothing_is_kept()
        return np.empty(shape, like.dtype)
    return _taken((shape, like.dtype))


@bounded_cache(maxsize=1)
def _say_that_nothing_is_kept() -> None:
    logger().info(
        "no memory is kept for large arrays, because this Python runs without its global lock and does not count all "
        "references; large batches take longer for it"
    )


def _taken(key: _Key) -> Array:
    mine = _own_place()
    pool: _Pool | None = mine.pop("pool", None)
    if pool is None:
        pool = _Pool()
    buffer = _from_pool(pool, key)
    mine["pool"] = pool
    if pool.era is not _era:  # all pools were freed meanwhile
        mine.pop("pool", None)
    return buffer


def _own_place() -> _Place:
    try:
        place: _Place = _of_thread.place
    except AttributeError:
        place = _of_thread.place = _places[threading.get_ident()] = _Place()
    return place


def _from_pool(pool: _Pool, key: _Key) -> Array:
    buffers = pool.get(key)
    if buffers is None:
        buffers = pool[key] = [np.empty(0)]
    pool.move_to_end(key)
    free = _first_free(buffers)
    if free:
        buffer = buffers.pop(free)
        if _is_as_made(buffer, key):
            buffers.insert(1, buffer)
            return buffer
    made: Array = np.empty(*key)
    buffers.insert(1, made)
    del buffers[1 + MOST_OF_A_SHAPE :]
    _let_go(pool)
    return made


def _first_free(arrays: list[Array]) -> int:
    """Return the place of the first array that has no more references than the list and this loop make; or zero.

    The list begins with an empty array, which nobody else ever holds: how many references it has says how many the
    loop makes. That differs by Python's version, and is larger while a debugger looks on; it is never more than three.
    """
    alone = place = 0
    for array in arrays:
        if not alone:
            alone = min(sys.getrefcount(array), 3)
        elif sys.getrefcount(array) <= alone:
            return place
        place += 1  # `enumerate` would hold the array too
    return 0


def _is_as_made(array: Array, key: _Key) -> bool:
    """Tell whether whoever held an array last has left its shape, dtype and flags alone."""
    return array.flags.carray and (array.shape, array.dtype) == key


def _let_go(pool: _Pool) -> None:
    while sum(array.nbytes for arrays in pool.values() for array in arrays) > _limit:
        oldest, arrays = next(iter(pool.items()))
        if len(arrays) > 2:
            arrays.pop()
        else:
            del pool[oldest]

"""Scratch buffers: a pool of large arrays in each thread, which are used again once nothing references them.

Fresh memory comes from the operating system page by page, which costs a large kernel as much as its arithmetic. Here a
thread keeps the arrays that it made, and returns one again once its number of references says that nothing else, not
even a view of it, is alive: an array that a user or a pending backward still references is never reused (weak
references do not count). On a GPU, CuPy has a pool of its own.

A signal handler, a finalizer or a debugger may run a forward pass between any two byte-codes of this file. Each call
therefore takes the pool out of its thread's slot in one atomic step and puts it back at its end: a call in the middle
of another finds an empty slot, starts a new pool, and that pool is then replaced. Once the pool is back, the
interrupted call still references the buffer that it is about to return.

Another thread may empty a slot in the same way, to free its pool. A call that holds the pool meanwhile finds that its
*generation* has passed, and drops it.
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
"""Smaller arrays are allocated each time: that is faster than a search of the pool."""

MOST_PER_SHAPE = 32
"""How many arrays of one shape a pool holds: those used last. Arrays that stay referenced for long, as parameters do,
leave the pool before those of a step, and Python frees them when their last reference goes."""

REFERENCES_ARE_COUNTED: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether Python counts all references; without its global lock it does not, and there are no pools."""

_Key: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]


class _Pool(OrderedDict[_Key, list[Array]]):
    """A thread's arrays by shape and dtype, those used last at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.generation = _generation


class _Slot(dict[str, _Pool]):
    """The place of a thread's pool, under the key `"pool"`, while no call uses it."""


_of_thread = threading.local()
_slots: "weakref.WeakValueDictionary[int, _Slot]" = weakref.WeakValueDictionary()  # by the thread's number
_generation = object()  # a new one each time that all pools are freed
_limit = 1 << 28  # bytes of a pool; beyond them the arrays that have not been used for the longest time leave it


# -- all pools --------------------------------------------------------------------------------------------------------


def set_limit(most_bytes: int) -> int:
    """Set the largest size of each thread's pool, and return the previous one; a lower one frees all pools."""
    global _limit
    before, _limit = _limit, most_bytes
    if most_bytes < before:
        free()
    return before


def free() -> None:
    """Free the pools of all threads; a thread in the middle of a call frees its own at the end of the call."""
    global _generation
    _generation = object()
    for slot in _all_slots():
        slot.pop("pool", None)


def held() -> int:
    """Return the size of all pools in bytes, of arrays in use and not."""
    pools = [slot["pool"] for slot in map(dict, _all_slots()) if "pool" in slot]
    return sum(array.nbytes for pool in pools for arrays in list(pool.values()) for array in arrays)


def _all_slots() -> list[_Slot]:
    return [slot for reference in _slots.valuerefs() if (slot := reference()) is not None]


# -- arrays -----------------------------------------------------------------------------------------------------------


def scratch(like: Array, shape: tuple[int, ...]) -> Array:
    """Return an uninitialized array of a shape, of the dtype and on the device of another."""
    if type(like) is not np.ndarray:  # the one place that allocates for either processor
        return namespace(like).empty(shape, like.dtype)
    return scratch_of(shape, like.dtype)


def scratch_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an uninitialized NumPy array of a shape and dtype."""
    size = dtype.itemsize
    for width in shape:
        size *= width
    if LEAST_BYTES <= size <= _limit:
        if REFERENCES_ARE_COUNTED:
            return _pooled((shape, dtype))
        _log_that_there_are_no_pools()
    return np.empty(shape, dtype)


def side_by_side(parts: Sequence[Array], axis: int) -> Array:
    """Return NumPy arrays joined along an axis in a scratch buffer."""
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return np.concatenate(parts, axis, out=scratch(parts[0], tuple(shape)))


@bounded_cache(maxsize=1)
def _log_that_there_are_no_pools() -> None:
    logger().info(
        "there are no buffer pools, because this Python runs without its global lock and does not count all "
        "references; large batches take longer"
    )


# -- the pool of this thread ------------------------------------------------------------------------------------------


def _pooled(key: _Key) -> Array:
    slot = _own_slot()
    pool: _Pool | None = slot.pop("pool", None)
    if pool is None:
        pool = _Pool()
    buffer = _unused_or_new(pool, key)
    slot["pool"] = pool
    if pool.generation is not _generation:  # all pools were freed meanwhile
        slot.pop("pool", None)
    return buffer


def _own_slot() -> _Slot:
    try:
        slot: _Slot = _of_thread.slot
    except AttributeError:
        slot = _of_thread.slot = _slots[threading.get_ident()] = _Slot()
    return slot


def _unused_or_new(pool: _Pool, key: _Key) -> Array:
    arrays = pool.get(key)
    if arrays is None:
        arrays = pool[key] = [np.empty(0)]
    pool.move_to_end(key)
    unused = _first_unused(arrays)
    if unused:
        buffer = arrays.pop(unused)
        if buffer.flags.carray and (buffer.shape, buffer.dtype) == key:  # unchanged
            arrays.insert(1, buffer)
            return buffer
    new: Array = np.empty(*key)
    arrays.insert(1, new)
    del arrays[1 + MOST_PER_SHAPE :]
    _trim(pool)
    return new


def _first_unused(arrays: list[Array]) -> int:
    """Return the index of the first array with no more references than the list and this loop make; or zero.

    The list begins with an empty array, which nothing else ever references: its number of references is that of the
    list and the loop. It differs by Python's version, and is larger while a debugger runs, but never more than three.
    """
    alone = index = 0
    for array in arrays:
        if not alone:
            alone = min(sys.getrefcount(array), 3)
        elif sys.getrefcount(array) <= alone:
            return index
        index += 1  # `enumerate` would hold a reference too
    return 0


def _trim(pool: _Pool) -> None:
    while sum(array.nbytes for arrays in pool.values() for array in arrays) > _limit:
        oldest, arrays = next(iter(pool.items()))
        if len(arrays) > 2:
            arrays.pop()
        else:
            del pool[oldest]

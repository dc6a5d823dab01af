"""The buffer pools of NumPy arrays: how large they may be, how large they are, and how to free them.

Each thread keeps the large arrays (64 KiB and more) of layers, LSTMs and optimizers that are no longer referenced, and
uses them again; and one buffer for the calls of compiled kernels, with the same limit. An array that a caller still
references is never touched. On a GPU CuPy has a pool of its own: `cupy.get_default_memory_pool()` has
`free_all_blocks()` and `set_limit(size=...)`.
"""

import numpy as np

from npnets import caches
from npnets.kernels import buffers
from npnets.kernels.compiled.native import native
from npnets.log import logger
from npnets.public import listing

__all__ = ["clear", "held", "limit"]

__dir__ = listing(__all__)


def limit(most_bytes: int) -> int:
    """Set the largest size of each thread's buffer pool.

    Parameters
    ----------
    most_bytes : int
        How many bytes; 0 turns the pools off. The default is 256 MiB, `1 << 28`. A limit lower than the previous one
        frees the pools of all threads at once; they then grow up to that limit again.

    Returns
    -------
    int
        The previous limit.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or below 0.

    Notes
    -----
    The limit applies to all threads, and to those that start later. Python without its global lock has no pools,
    whatever the limit; the logger `npnets` says so.
    """
    if isinstance(most_bytes, bool) or not isinstance(most_bytes, (int, np.integer)):
        raise TypeError(
            f"the limit must be an integer, a number of bytes such as 256 * 2**20 for 256 MiB, but is {most_bytes!r}"
        )
    if most_bytes < 0:
        raise ValueError(f"the limit must be at least 0 bytes, which turns the pools off, but is {most_bytes}")
    if most_bytes and not buffers.REFERENCES_ARE_COUNTED:
        logger().warning("npnets.memory.limit changes nothing: this Python runs without its global lock")
    if native is not None:
        native.limit_memory(int(most_bytes))
    return buffers.set_limit(int(most_bytes))


def clear() -> None:
    """Free the buffer pools of all threads, and empty the caches of the package, some of which hold small GPU arrays.

    Arrays that are still referenced stay as they are, and Python frees them when the last reference goes. A thread in
    the middle of an operation frees its pool when the operation is done. The next step allocates anew and fills the
    pools.
    """
    buffers.free()
    if native is not None:
        native.free_memory()
    caches.clear()


def held() -> int:
    """Return the size of the buffer pools of all threads together.

    Returns
    -------
    int
        Bytes, of arrays in use and of those that wait to be used again.
    """
    return buffers.held() + (0 if native is None else native.held_memory())

"""Memory that is kept for the next step: how much, and how to free it. It is about NumPy's arrays alone.

Each thread keeps the large arrays (64 KiB and more) of layers, LSTMs and optimizers that nobody holds any more, and
uses them again. What a caller holds is never touched. On a GPU CuPy does the same with a pool of its own:
`cupy.get_default_memory_pool()` has `free_all_blocks()` and `set_limit(size=...)`.
"""

import numpy as np

from npnets.kernels import buffers
from npnets.log import logger
from npnets.public import listing

__all__ = ["clear", "held", "limit"]

__dir__ = listing(__all__)


def limit(most_bytes: int) -> int:
    """Set how much memory each thread may keep.

    Parameters
    ----------
    most_bytes : int
        How many bytes; 0 keeps nothing. At first it is 256 MiB, `1 << 28`. A lower limit than before frees what all
        threads keep, at once; they then keep up to that limit again.

    Returns
    -------
    int
        The limit from before.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or below 0.

    Notes
    -----
    It holds for all threads, and for those that start later. On a Python that runs without its global lock nothing is
    kept, whatever the limit; the logger `npnets` says so.
    """
    if isinstance(most_bytes, bool) or not isinstance(most_bytes, (int, np.integer)):
        raise TypeError(
            f"the limit must be an integer, a number of bytes such as 256 * 2**20 for 256 MiB, but is {most_bytes!r}"
        )
    if most_bytes < 0:
        raise ValueError(f"the limit must be at least 0 bytes, which keeps nothing, but is {most_bytes}")
    if most_bytes and not buffers.COUNTS_TELL:
        logger().warning("npnets.memory.limit changes nothing: this Python runs without its global lock")
    return buffers.set_limit(int(most_bytes))


def clear() -> None:
    """Free the memory that is kept, in all threads.

    Arrays that somebody holds stay as they are, and are freed by Python once nobody does. A thread that is in the
    middle of an operation frees its own when the operation is done. The next step takes fresh memory, and keeps it.
    """
    buffers.free()


def held() -> int:
    """Return how much memory is kept by all threads together.

    Returns
    -------
    int
        Bytes, of arrays that are in use at the moment and of those that wait to be used again.
    """
    return buffers.held()

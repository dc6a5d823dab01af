"""A tree that many processes of one machine read: a file that each maps into its memory, without a copy.

The file is a pickle whose arrays lie beside it, each at an aligned place. Arrays that come out are read-only.
"""

import contextlib
import mmap
import os
import pickle
import tempfile
from typing import Any

from npnets.caches import bounded_cache

_ALIGNMENT = 64


class MappedTree:
    """A tree in a file of its own, in the folder for temporary files; it pickles as the name of the file.

    Parameters
    ----------
    tree : tree
        Nested dicts, lists and tuples with arrays of NumPy and any values that can be pickled.
    """

    def __init__(self, tree: Any) -> None:
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(tree, protocol=5, buffer_callback=buffers.append)
        number, self.path = tempfile.mkstemp(prefix="npnets-shared-")
        places: list[tuple[int, int]] = []
        try:
            with open(number, "wb") as file:
                for part in (memoryview(pickled), *(buffer.raw() for buffer in buffers)):
                    file.write(bytes(-file.tell() % _ALIGNMENT))
                    places.append((file.tell(), part.nbytes))
                    file.write(part)
        except BaseException:
            self.remove()
            raise
        self.places = tuple(places)

    def load(self) -> Any:
        """Return the tree, the one of the last call in this process if it was for the same file."""
        return _load(self.path, self.places)

    def remove(self) -> None:
        """Remove the file; processes that have mapped it keep its contents."""
        with contextlib.suppress(FileNotFoundError, PermissionError):  # Windows keeps a file that is mapped
            os.unlink(self.path)


@bounded_cache(maxsize=1)
def _load(path: str, places: tuple[tuple[int, int], ...]) -> Any:
    with open(path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    pickled, *buffers = (mapped[start : start + length] for start, length in places)
    return pickle.loads(pickled, buffers=buffers)

"""A tree that many processes of one machine read: a file that each maps into its memory, without a copy.

The file is a pickle whose arrays lie beside it, each at an aligned place. Arrays that come out are read-only.
"""

import contextlib
import mmap
import os
import pickle
import tempfile
from typing import Any

_ALIGNMENT = 64
_latest: dict[str, Any] = {}  # in a worker: the tree that it used last, by its file


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
        self.places: list[tuple[int, int]] = []
        try:
            with open(number, "wb") as file:
                for part in (memoryview(pickled), *(buffer.raw() for buffer in buffers)):
                    file.write(bytes(-file.tell() % _ALIGNMENT))
                    self.places.append((file.tell(), part.nbytes))
                    file.write(part)
        except BaseException:
            self.remove()
            raise

    def load(self) -> Any:
        """Return the tree, from this process's last call if that was for the same file."""
        if self.path not in _latest:
            with open(self.path, "rb") as file:
                mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            pickled, *buffers = (mapped[start : start + size] for start, size in self.places)
            tree = pickle.loads(pickled, buffers=buffers)
            _latest.clear()
            _latest[self.path] = tree
        return _latest[self.path]

    def remove(self) -> None:
        """Remove the file; processes that have mapped it keep its contents."""
        with contextlib.suppress(FileNotFoundError, PermissionError):  # Windows keeps a file that is mapped
            os.unlink(self.path)

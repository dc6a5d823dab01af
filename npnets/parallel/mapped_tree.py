"""A tree that many processes of one machine read: a file that each maps into its memory, without a copy.

The file is a pickle whose arrays lie beside it, each at an aligned place. Arrays that come out are read-only.
"""

import contextlib
import glob
import mmap
import os
import pickle
import stat
import tempfile
import time
import weakref
from typing import IO, Any

from npnets.caches import bounded_cache

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_ALIGNMENT = 64
_PREFIX = "npnets-shared-"
_SECONDS_UNTIL_LOCKED = 60.0


class MappedTree:
    """A tree in a file of its own, in the folder for temporary files; it pickles as the name of the file.

    The process that writes it keeps it open and locked, until `remove` or the end of the program removes it. A process
    that is killed leaves it unlocked, for `remove_abandoned`.

    Parameters
    ----------
    tree : tree
        Nested dicts, lists and tuples with arrays of NumPy and any values that can be pickled.
    """

    def __init__(self, tree: Any) -> None:
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(tree, protocol=5, buffer_callback=buffers.append)
        number, self.path = tempfile.mkstemp(prefix=_PREFIX)
        file = open(number, "wb")
        self.remove = weakref.finalize(self, _remove, file, self.path, os.getpid())
        places: list[tuple[int, int]] = []
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                _lock(file)
            for part in (memoryview(pickled), *(buffer.raw() for buffer in buffers)):
                file.write(bytes(-file.tell() % _ALIGNMENT))
                places.append((file.tell(), part.nbytes))
                file.write(part)
            file.flush()
        except BaseException:
            self.remove()
            raise
        self.places = tuple(places)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "places": self.places}

    def load(self) -> Any:
        """Return the tree, the one of the last call in this process if it was for the same file."""
        return _load(self.path, self.places)


def remove_abandoned() -> None:
    """Remove the files of processes that were killed, which are those that nobody has locked for a minute."""
    for path in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), _PREFIX + "*")):
        with contextlib.suppress(OSError):  # locked, another user's, or removed meanwhile
            found = os.lstat(path)
            if _is_own(found) and time.time() - found.st_mtime > _SECONDS_UNTIL_LOCKED:
                with open(path, "rb") as file:
                    _lock(file)
                os.unlink(path)


def _is_own(found: os.stat_result) -> bool:
    """Return whether a file is a regular one of this user: others may write to the folder for temporary files, too."""
    return stat.S_ISREG(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())


def _remove(file: IO[bytes], path: str, process: int) -> None:
    """Remove the file of a tree in the process that wrote it; those that have mapped it keep its contents."""
    with contextlib.suppress(OSError):  # a full disk
        file.close()
    if os.getpid() == process:  # and no copy of it, by a fork
        with contextlib.suppress(FileNotFoundError, PermissionError):  # Windows keeps a file that is mapped
            os.unlink(path)


def _lock(file: IO[bytes]) -> None:
    """Lock a file until it is closed, or raise an `OSError`; on Windows an open file cannot be removed anyway."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@bounded_cache(maxsize=1)
def _load(path: str, places: tuple[tuple[int, int], ...]) -> Any:
    with open(path, "rb") as file:
        if not _is_own(os.fstat(file.fileno())):
            raise PermissionError(f"{path} belongs to another user of this machine: it is not read")
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    pickled, *buffers = (mapped[start : start + length] for start, length in places)
    return pickle.loads(pickled, buffers=buffers)

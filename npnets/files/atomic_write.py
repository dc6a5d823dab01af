"""Atomic replacement of a file, whenever the program or the machine stops.

The new file is written beside the old one under a temporary name, flushed to the disk, and renamed. While a program
writes such a file it holds a lock on it, which the operating system releases when the program ends: the next write to
the same path can thereby recognize the files of killed programs, and removes them. Without file locks, as on Windows
and some network disks, such files stay.

An exception can arrive between any two bytecodes, from a signal handler. A file descriptor is therefore stored in an
object, or in a list, by the very call that opens it.
"""

import contextlib
import functools
import glob
import os
import re
import secrets
import stat
from collections.abc import Callable
from typing import BinaryIO

from npnets.log import logger

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TOKEN_BYTES, _ENDING = 8, ".tmp"
_ORDINARY_MODE = 0o666  # less the bits of the user's umask


def replace(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Write a file and put it at a path, or leave everything as it was.

    Parameters
    ----------
    path : str
        The target of a link is replaced, and not the link. An existing file keeps its permissions.
    write : callable
        Called with an open file.

    Raises
    ------
    OSError
        If there is no such folder, or no ordinary file at the path, or the disk fails; nothing has changed then.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    old = _old_file(path, target, folder)
    mode = _ORDINARY_MODE if old is None else stat.S_IMODE(old.st_mode)
    start = os.path.join(folder, f".{name[:40]}.")
    _remove_abandoned(start)
    while not _put(f"{start}{secrets.token_hex(_TOKEN_BYTES)}{_ENDING}", target, write, mode, old is not None):
        pass
    _flush_folder(folder)
    if old is not None:
        logger().debug("replaced %s", target)


def replace_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8 and put it at a path, as `replace` does."""

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    replace(os.fspath(path), write)


def _put(temporary: str, target: str, write: Callable[[BinaryIO], None], mode: int, keeps_mode: bool) -> bool:
    """Write a temporary file and rename it; return false if another save took it for abandoned and removed it."""
    try:
        with open(temporary, "xb", opener=functools.partial(os.open, mode=mode)) as file:
            lock(file.fileno(), waits=True)
            if not os.path.exists(temporary):
                return False
            write(file)
            file.flush()
            if keeps_mode:
                os.chmod(temporary, mode)  # the umask may have removed bits of it
            os.fsync(file.fileno())
            if fcntl is not None:  # under the lock, or another save takes this for abandoned
                os.replace(temporary, target)
        if fcntl is None:  # Windows, where an open file cannot be renamed
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return True


def lock(opened: int, waits: bool) -> bool | None:
    """Lock an open file for this program, and `waits` for another program's lock.

    Returns
    -------
    bool or None
        False if another program holds the lock; None where there are no locks, as on Windows and some network disks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_abandoned(start: str) -> None:
    """Remove the temporary files of killed programs whose names begin like this."""
    token = re.compile(f"{re.escape(start)}[0-9a-f]{{{2 * _TOKEN_BYTES}}}{re.escape(_ENDING)}")
    for path in filter(token.fullmatch, glob.glob(f"{glob.escape(start)}*{_ENDING}")):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if lock(file.fileno(), waits=False):
                os.unlink(path)
                logger().info("removed %s, left behind by a save that was killed", path)


def _old_file(path: str, target: str, folder: str) -> os.stat_result | None:
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save to {path}: there is no folder {folder}; make it first with os.makedirs")
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise FileExistsError(f"cannot save to {path}: expected a file or nothing there, but found a folder or device")
    return old


def _flush_folder(folder: str) -> None:
    """Flush a folder's new entry to the disk, where the operating system can do that."""
    opened: list[int] = []
    closing = map(os.close, opened)  # made before the file is opened, so that closing is one call
    with contextlib.suppress(OSError):
        try:
            opened.extend(map(os.open, [folder], [os.O_RDONLY]))
            os.fsync(opened[0])
        finally:
            any(closing)

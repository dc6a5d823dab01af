"""Putting a file in the place of another: whole or not at all, whenever the program or the machine stops.

The new file is written beside the old one under another name, brought to the disk, and given its name in one step.
While a program writes such a file it holds a lock on it, which the operating system takes away when the program ends:
so the next save to the same path can tell what a killed program has left behind, and removes it. Where there are no
locks, as on Windows and on some network disks, such files stay.

An exception can arrive between any two byte-codes, from a signal handler. A file descriptor is therefore in the hands
of an object, or in a list, by the very call that opens it.
"""

import contextlib
import functools
import glob
import os
import re
import secrets
import stat
from collections.abc import Callable
from typing import Any, BinaryIO

from npnets.log import logger

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TOKEN_BYTES, _ENDING = 8, ".tmp"
_ORDINARY_MODE = 0o666  # of which the user's umask takes its part


def replace(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Write a file and put it at a path.

    Parameters
    ----------
    path : str
        Of a link, what it points to is replaced. A file that was there hands its permissions on.
    write : callable
        Is given an open file.

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
    _bring_to_disk(folder)
    if old is not None:
        logger().debug("replaced %s", target)


def _put(temporary: str, target: str, write: Callable[[BinaryIO], None], mode: int, keeps_mode: bool) -> bool:
    """Write a file under another name and rename it; return false if another save took it for abandoned meanwhile."""
    try:
        with open(temporary, "xb", opener=functools.partial(os.open, mode=mode)) as file:
            _lock(file.fileno(), waits=True)
            if not os.path.exists(temporary):
                return False
            write(file)
            file.flush()
            if keeps_mode:
                os.chmod(temporary, mode)  # a umask of today may have taken a part of it
            os.fsync(file.fileno())
            if fcntl is not None:  # while the lock is held: without it, another save would take this for abandoned
                os.replace(temporary, target)
        if fcntl is None:  # Windows, which renames no open file
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return True


def _lock(opened: int, waits: bool) -> bool:
    """Lock an open file for this program, and tell whether it is locked; without `waits` only if no other has it."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(start: str) -> None:
    """Remove the temporary files of killed programs whose names begin in this way."""
    token = re.compile(f"{re.escape(start)}[0-9a-f]{{{2 * _TOKEN_BYTES}}}{re.escape(_ENDING)}")
    for path in filter(token.fullmatch, glob.glob(f"{glob.escape(start)}*{_ENDING}")):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if _lock(file.fileno(), waits=False):
                os.unlink(path)
                logger().info("removed %s, which a save that was killed has left behind", path)


def _old_file(path: str, target: str, folder: str) -> Any:
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save to {path}: there is no folder {folder}; make it first with os.makedirs")
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise FileExistsError(f"cannot save to {path}: expected a file or nothing there, but found a folder or device")
    return old


def _bring_to_disk(folder: str) -> None:
    """Bring a folder's new entry to the disk, where the operating system can do that to folders."""
    opened: list[int] = []
    closing = map(os.close, opened)  # made before, so that closing is one call
    with contextlib.suppress(OSError):
        try:
            opened.extend(map(os.open, [folder], [os.O_RDONLY]))
            os.fsync(opened[0])
        finally:
            any(closing)

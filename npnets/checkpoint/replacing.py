"""Putting a file in the place of another: whole or not at all, whenever the program or the machine stops.

The new file is written beside the old one under another name, brought to the disk, and given its name in one step.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from typing import Any, BinaryIO

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
    temporary = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb", opener=lambda file, flags: os.open(file, flags, mode)) as file:
            write(file)
            file.flush()
            if old is not None:
                os.chmod(temporary, mode)  # a umask of today may have taken a part of it
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _bring_to_disk(folder)


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
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

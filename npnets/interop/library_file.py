"""A file of another library as its readers see it: how it begins, the members of an archive, what its pickle holds."""

import os
import struct
import zipfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, printable, quoted
from npnets.files.zip_guards import LOCAL_HEADER
from npnets.interop import pickle_file, torch_file
from npnets.interop.foreign import Foreign
from npnets.interop.torch.legacy import MAGIC

_BEGINNING = 64
_SUFFIXES = (".zip", ".npz", ".safetensors", ".pth", ".pt", ".d3", ".pkl")
_PICKLE_RECORD = "data.pkl"


@dataclass(frozen=True)
class LibraryFile:
    """A file whose library is not known yet.

    Parameters
    ----------
    path : str
    beginning : bytes
        Its first bytes.
    members : tuple of str
        The names in the zip archive that it is, in their order; none for any other file.
    """

    path: str
    beginning: bytes
    members: tuple[str, ...]

    @property
    def is_of_torch(self) -> bool:
        """Whether the file is one of `torch.save`: an archive, or from before PyTorch 1.6."""
        return self.beginning.startswith(MAGIC) or any(
            name.partition("/")[2] == _PICKLE_RECORD for name in self.members
        )

    @property
    def is_pickle(self) -> bool:
        """Whether the file is a plain pickle, of a protocol from 2 on."""
        return self.beginning[:1] == b"\x80"

    @cached_property
    def contents(self) -> object:
        """The value that a file of `torch.save` or a plain pickle holds, `None` for any other file.

        It is read once, for all readers. Objects of classes that are not known are inert stand-ins.

        Raises
        ------
        ValueError
            If the file is damaged; the message names the file.
        """
        if self.is_of_torch:
            return torch_file.load(self.path, foreign="keep")
        return pickle_file.load(self.path, foreign="keep") if self.is_pickle else None


def opened(path: str | os.PathLike[str]) -> LibraryFile:
    """Look at a file, without reading what it holds.

    Raises
    ------
    OSError
        If there is no such file, or it is a folder, or cannot be opened.
    """
    path = os.fsdecode(path)
    _check_is_there(path)
    with open(path, "rb") as file:
        beginning = file.read(_BEGINNING)
        members = _members(path) if beginning.startswith(LOCAL_HEADER) else ()
    return LibraryFile(path, beginning, members)


def check_whole(file: LibraryFile) -> None:
    """Check that a file which begins as a zip archive also ends as one, with the directory of it."""
    if file.beginning.startswith(LOCAL_HEADER) and not file.members:
        raise Fault(f"it begins as a zip archive, but does not end as one; {DAMAGED}")


def _members(path: str) -> tuple[str, ...]:
    """Return the names in an archive; none if its directory is damaged.

    An archive that was cut off can end with another that was in it: then the directory is not that of the beginning.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, EOFError, NotImplementedError, struct.error):
        return ()
    begins = any(entry.header_offset == 0 for entry in entries)
    return tuple(entry.filename for entry in entries) if begins else ()


def _check_is_there(path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(f"{printable(path)} is a folder, where a file must be")
    if not os.path.exists(path):
        beside = next((f"{path}{suffix}" for suffix in _SUFFIXES if os.path.exists(f"{path}{suffix}")), None)
        hint = "" if beside is None else f"; did you mean {printable(beside)}?"
        raise FileNotFoundError(f"there is no file {printable(path)}{hint}")


# -- in words --------------------------------------------------------------------------------------------------------

_WEB_PAGE = "it is a web page, perhaps that of a login or of an error (was the link to the file itself?)"
_MISTAKEN = {
    b"version https://git-lfs": "it is a pointer of Git LFS to the file (git lfs pull fetches it)",
    **dict.fromkeys((b"<!doctype", b"<html"), _WEB_PAGE),
}
"""What downloads leave in the place of a file, by how it begins, in small letters."""


def described(file: LibraryFile) -> str:
    """Return what a file of no known library is, in a clause."""
    if file.is_of_torch:
        return f"it is a file of torch.save that holds {described_value(file.contents)}"
    if file.members:
        return f"it is a zip archive of {listed(file.members, most=5)}"
    if file.is_pickle:
        return f"it is a pickle that holds {described_value(file.contents)}"
    beginning = file.beginning.lstrip().lower()
    mistaken = next((kind for start, kind in _MISTAKEN.items() if beginning.startswith(start)), None)
    return mistaken or (f"it begins with {file.beginning[:12]!r}" if file.beginning else "it is empty")


def described_value(value: object) -> str:
    """Return what a value in a file is, in a few words."""
    if isinstance(value, Foreign):
        return f"an object of {quoted(value.name, 200)}"
    if isinstance(value, dict):
        return f"a dict of {listed(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"

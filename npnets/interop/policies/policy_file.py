"""A policy's file as its readers see it: how it begins, the members of a zip archive, and what a pickle in it holds."""

import os
import zipfile
from dataclasses import dataclass
from functools import cached_property

from npnets.files.quoting import printable
from npnets.files.zip_guards import LOCAL_HEADER
from npnets.interop import pickle_file, torch_file
from npnets.interop.torch.legacy import MAGIC

_BEGINNING = 64
_SUFFIXES = (".zip", ".npz", ".safetensors", ".pth", ".pt", ".d3", ".pkl")
_PICKLE_RECORD = "data.pkl"


@dataclass(frozen=True)
class PolicyFile:
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
    def is_broken_archive(self) -> bool:
        """Whether the file begins as a zip archive does, and its end has no directory of it."""
        return self.beginning.startswith(LOCAL_HEADER) and not self.members

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


def opened(path: str | os.PathLike[str]) -> PolicyFile:
    """Look at a file, without reading what it holds.

    Raises
    ------
    OSError
        If there is no such file, or it is a folder, or cannot be opened.
    """
    _check_is_there(os.fspath(path))
    with open(path, "rb") as file:
        beginning = file.read(_BEGINNING)
        members = _members(path) if beginning.startswith(LOCAL_HEADER) else ()
    return PolicyFile(os.fspath(path), beginning, members)


def _members(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names in an archive; none if its directory is damaged.

    An archive that was cut off can end with another that was in it: then the directory is not that of the beginning.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, EOFError, NotImplementedError):
        return ()
    begins = any(entry.header_offset == 0 for entry in entries)
    return tuple(entry.filename for entry in entries) if begins else ()


def _check_is_there(path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(f"{printable(path)} is a folder, where the file of a policy must be")
    if not os.path.exists(path):
        beside = next((f"{path}{suffix}" for suffix in _SUFFIXES if os.path.exists(f"{path}{suffix}")), None)
        hint = "" if beside is None else f"; did you mean {printable(beside)}?"
        raise FileNotFoundError(f"there is no file {printable(path)}{hint}")

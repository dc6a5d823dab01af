"""Checkpoints as `.npz`, which `numpy.load` reads too: a zip file, not compressed, of arrays and a manifest.

The same content gives the same bytes. Nothing is unpickled, and no more memory is taken than the file is long.
"""

import io
import os
import re
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.endings import why_unreadable
from npnets.checkpoint.faults import DAMAGED, NO_MANIFEST, Fault
from npnets.checkpoint.manifest import octets

_FORMAT: Any = np.lib.format  # whose annotations NumPy has only in its newer releases
MANIFEST = "npnets/checkpoint.json"  # a slash: no array's name has one
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[<|][biuf][1-8])', 'fortran_order': False, "
    r"'shape': \((?P<shape>(?:\d{1,19}, ?){0,64}(?:\d{1,19})?)\), \} *\n"
)
"""All that `save` writes before an array's numbers; NumPy's own reader would evaluate it as an expression of Python."""
_BEGINNING_OF_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o644 << 16


def check_library() -> None:
    """Check that what is needed is installed: nothing is."""


def write(file: BinaryIO, manifest: str, arrays: dict[str, Array]) -> None:
    """Write a manifest, and arrays in C order, to an open file."""
    import zipfile  # here and below, because it would make up a part of the package's import

    archive = None
    try:
        archive = zipfile.ZipFile(file, "w")
        _write_members(archive, manifest, arrays)
        archive.close()
    except BaseException:
        if archive is not None:
            archive.fp = None  # closing what is half written, here or as it goes away, would raise an error of its own
        raise


def _write_members(archive: Any, manifest: str, arrays: dict[str, Array]) -> None:
    _write_member(archive, MANIFEST, manifest.encode())
    for name, array in arrays.items():
        header = io.BytesIO()
        layout = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        _FORMAT.write_array_header_1_0(header, layout)
        _write_member(archive, f"{name}.npy", header.getvalue(), octets(array))


def _write_member(archive: Any, name: str, *parts: Any) -> None:
    import zipfile

    info = zipfile.ZipInfo(name, _BEGINNING_OF_ZIP_TIME)
    info.create_system, info.external_attr = _UNIX, _MODE
    info.file_size = sum(len(part) for part in parts)
    with archive.open(info, "w") as member:
        for part in parts:
            member.write(part)


def read(path: str, understand: Callable[[bytes], Any]) -> tuple[Any, dict[str, Array]]:
    """Return what is understood of a file's manifest, and then the file's arrays by name.

    Raises
    ------
    Fault
        If it is no whole file of this kind.
    """
    import zipfile

    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_plain(archive, os.fstat(file.fileno()).st_size)
                names = archive.namelist()
                if MANIFEST not in names:
                    raise Fault(f"{NO_MANIFEST}; was it written by numpy.savez? numpy.load reads it")
                manifest = understand(archive.read(MANIFEST))
                names.remove(MANIFEST)
                return manifest, {name.removesuffix(".npy"): _array(archive.read(name)) for name in names}
        except (Fault, MemoryError):
            raise
        except Exception as error:  # zipfile raises half a dozen kinds for files that are damaged
            raise Fault(why_unreadable(path, ".npz", error)) from error


def _check_plain(archive: Any, size: int) -> None:
    """Check that members are stored as they are and can all be there: a small file must not become a large one."""
    members = archive.infolist()
    if MANIFEST in archive.namelist() and any(info.compress_type for info in members):
        raise Fault("its members are compressed, which save never does; was it packed again by another program?")
    if sum(info.compress_size for info in members) > size:
        raise Fault(f"its members are said to be longer than the file; {DAMAGED}")


def _array(member: bytes) -> Array:
    file = io.BytesIO(member)
    if _FORMAT.read_magic(file) != (1, 0):
        raise Fault(f"expected arrays in version 1.0 of NumPy's format; {DAMAGED}")
    length = int.from_bytes(file.read(2), "little")
    header = _HEADER.fullmatch(file.read(length).decode("latin-1"))
    if header is None:
        raise Fault(f"expected arrays in C order, with a header as numpy.save writes it; {DAMAGED}")
    shape = tuple(int(size) for size in header["shape"].split(",") if size.strip())
    return np.frombuffer(member, np.dtype(header["dtype"]), offset=file.tell()).reshape(shape).copy()

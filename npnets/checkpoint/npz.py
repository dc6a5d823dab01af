"""Checkpoints as `.npz`, which `numpy.load` reads too: a zip file, not compressed, of arrays and a manifest.

The same content gives the same bytes. Nothing is unpickled, and loading takes no more memory than the file is long.
"""

import io
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.manifest import NO_MANIFEST, octets
from npnets.checkpoint.sniff import why_unreadable
from npnets.files.fault import DAMAGED, Fault
from npnets.files.zip_guards import check_stored

if TYPE_CHECKING:
    from zipfile import ZipFile

_FORMAT: Any = np.lib.format  # annotated only in newer releases of NumPy
MANIFEST = "npnets/checkpoint.json"  # with a slash, which no name of an array has
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[<|][biuf][1-8])', 'fortran_order': False, "
    r"'shape': \((?P<shape>(?:\d{1,19}, ?){0,64}(?:\d{1,19})?)\), \} *\n"
)
"""The headers of arrays that `save` writes; NumPy's own reader would evaluate a header as a Python expression."""
_BEGINNING_OF_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o644 << 16


def check_library() -> None:
    """Do nothing: this format needs no further package."""


def write(file: BinaryIO, manifest: str, arrays: dict[str, Array]) -> None:
    """Write a manifest, and arrays in C order, to an open file."""
    import zipfile  # here and below: it would make up a part of the package's import

    archive = None
    try:
        archive = zipfile.ZipFile(file, "w")
        _write_members(archive, manifest, arrays)
        archive.close()
    except BaseException:
        if archive is not None:
            archive.fp = None  # or closing the half-written archive, here or by its finalizer, raises another error
        raise


def _write_members(archive: "ZipFile", manifest: str, arrays: dict[str, Array]) -> None:
    _write_member(archive, MANIFEST, manifest.encode())
    for name, array in arrays.items():
        header = io.BytesIO()
        layout = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        _FORMAT.write_array_header_1_0(header, layout)
        _write_member(archive, f"{name}.npy", header.getvalue(), octets(array))


def _write_member(archive: "ZipFile", name: str, *parts: bytes | memoryview) -> None:
    import zipfile

    info = zipfile.ZipInfo(name, _BEGINNING_OF_ZIP_TIME)
    info.create_system, info.external_attr = _UNIX, _MODE
    info.file_size = sum(len(part) for part in parts)
    with archive.open(info, "w") as member:
        for part in parts:
            member.write(part)


def read(path: str, parse: Callable[[str | bytes], dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return a file's manifest, parsed before anything else is read, and its arrays by name."""
    import zipfile

    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if MANIFEST not in names:
                    raise Fault(f"{NO_MANIFEST}; was it written by numpy.savez? numpy.load reads it")
                check_stored(archive.infolist(), os.fstat(file.fileno()).st_size, "npnets.checkpoint.save")
                manifest = parse(archive.read(MANIFEST))
                names.remove(MANIFEST)
                return manifest, {name.removesuffix(".npy"): _array(archive.read(name)) for name in names}
        except (Fault, MemoryError):
            raise
        except Exception as error:  # of any class: zipfile raises several for damaged files
            raise Fault(why_unreadable(path, ".npz", error)) from error


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

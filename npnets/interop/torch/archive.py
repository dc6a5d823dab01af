"""The zip archive that `torch.save` writes: its records as bytes, after a check that all of them are whole.

An archive is a folder of any name with the records `data.pkl` (the pickle), `data/<key>` (one storage each) and, since
PyTorch 2.1, `byteorder`. Nothing is compressed. The bytes that are read are bounded by the size of the file: records
that are compressed, that overlap, or that reach past the end are refused before anything is read. The checksum of every
record is verified, whether or not a tensor uses it.
"""

import os
from typing import TYPE_CHECKING, BinaryIO

from npnets.files.fault import Fault
from npnets.files.quoting import listed, quoted
from npnets.files.zip_guards import LOCAL_HEADER, check_stored

if TYPE_CHECKING:  # its import takes longer than that of the rest of this package
    from zipfile import ZipFile


def read_records(file: BinaryIO) -> dict[str, bytes]:
    """Read all records of an archive.

    Parameters
    ----------
    file : open file

    Returns
    -------
    dict of bytes
        By the records' names within the archive's folder: `"data.pkl"`, `"data/0"`, ...

    Raises
    ------
    Fault
        If it is not such an archive, or is damaged.
    """
    beginning = file.read(len(LOCAL_HEADER))
    if not beginning.startswith(LOCAL_HEADER):
        raise Fault(f"it does not begin as the zip archives of torch.save do, but with {beginning!r}")
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return _read_archive(file, size)


def _read_archive(file: BinaryIO, size: int) -> dict[str, bytes]:
    import struct
    import zipfile

    # The errors that zipfile raises for damaged archives.
    damage = (zipfile.BadZipFile, ValueError, OverflowError, EOFError, OSError, struct.error, NotImplementedError)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_pickle(archive.namelist())
            check_stored(archive.infolist(), size, "torch.save")
            return _contents(archive)
    except damage as error:
        raise Fault(f"its zip archive is damaged, or was cut off while it was copied ({error})") from error


def _check_pickle(names: list[str]) -> None:
    """Check that an archive was written by `torch.save`, by the names in its folder."""
    found = {name.partition("/")[2] for name in names}
    if "constants.pkl" in found:
        raise Fault("it is a TorchScript archive, of torch.jit.save; save module.state_dict() with torch.save")
    if "data.pkl" not in found:
        raise Fault(f"it is a zip archive without a data.pkl, so not of torch.save; it has {listed(names, most=3)}")


def _contents(archive: "ZipFile") -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    folders = set()
    for entry in archive.infolist():
        folder, _, name = entry.filename.partition("/")
        folders.add(folder)
        if name in records:
            raise Fault(f"it has the record {quoted(name)} twice; the file is damaged or malicious")
        records[name] = archive.read(entry)
    if len(folders) > 1:
        raise Fault(f"its records are in several folders, {listed(sorted(folders), most=3)}; torch.save uses one")
    return records

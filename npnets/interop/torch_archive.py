"""The zip archive that `torch.save` writes: its records as bytes, once all of them are seen to be whole.

An archive is a folder of any name with the records `data.pkl` (the pickle), `data/<key>` (one storage each) and, since
PyTorch 2.1, `byteorder`. Nothing is compressed. What is read is bounded by the size of the file: records that are
compressed, that overlap, or that reach past the end are refused before anything is read, and each record's checksum is
verified, also of those that nobody asks for.
"""

import os
from typing import TYPE_CHECKING, BinaryIO

from npnets.interop.torch_refusal import Refusal, shown

if TYPE_CHECKING:  # to import it takes longer than to import the rest of the package's room
    from zipfile import ZipFile, ZipInfo

_LOCAL_HEADER = 30
_ENCRYPTED = 1
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def read_records(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """Read all records of an archive.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict of bytes
        By the records' names within the archive's folder: `"data.pkl"`, `"data/0"`, ...

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    Refusal
        If it is no such archive, or is damaged.
    """
    with open(path, "rb") as file:
        _check_beginning(file)
        return _read_archive(file, os.fstat(file.fileno()).st_size)


def _check_beginning(file: BinaryIO) -> None:
    beginning = file.read(len(_LEGACY))
    file.seek(0)
    if beginning == _LEGACY:
        raise Refusal(
            "it has the format from before PyTorch 1.6; load it in PyTorch and write it again with "
            "torch.save(state_dict, path, _use_new_zipfile_serialization=True), which is the default today"
        )
    if not beginning.startswith(b"PK\x03\x04"):
        raise Refusal(f"it does not begin as the zip archives of torch.save do, but with {beginning[:4]!r}")


def _read_archive(file: BinaryIO, size: int) -> dict[str, bytes]:
    import struct
    import zipfile

    # What a damaged archive makes the library raise: it checks little before it reads on.
    damage = (zipfile.BadZipFile, ValueError, OverflowError, EOFError, OSError, struct.error, NotImplementedError)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_pickle(archive.namelist())
            _check_plain(archive.infolist(), size)
            return _contents(archive)
    except damage as error:
        raise Refusal(f"its zip archive is damaged, or was cut off while it was copied ({error})") from error


def _check_pickle(names: list[str]) -> None:
    """Check that an archive is of `torch.save`, by the names in its folder."""
    found = {name.partition("/")[2] for name in names}
    if "constants.pkl" in found:
        raise Refusal("it is a TorchScript archive, of torch.jit.save; save module.state_dict() with torch.save")
    if "data.pkl" not in found:
        raise Refusal(f"it is a zip archive without a data.pkl, so not of torch.save; it has {_some(names)}")


def _check_plain(entries: "list[ZipInfo]", size: int) -> None:
    """Check that records are stored as they are, each in a place of its own within the file."""
    end, previous = 0, ""
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        name = shown(entry.filename)
        if entry.flag_bits & _ENCRYPTED:
            raise Refusal(f"its record {name} is encrypted; torch.save encrypts nothing")
        if entry.compress_type != 0 or entry.compress_size != entry.file_size:
            raise Refusal(f"its record {name} is compressed; torch.save compresses nothing, so zip it without")
        if entry.header_offset < end:
            raise Refusal(f"its records {previous} and {name} overlap; the file is damaged, or made to mislead")
        end, previous = entry.header_offset + _LOCAL_HEADER + entry.file_size, name
    if end > size:
        raise Refusal(f"its record {previous} reaches past the end of the file, of {size} bytes; was it cut off?")


def _contents(archive: "ZipFile") -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    folders = set()
    for entry in archive.infolist():
        folder, _, name = entry.filename.partition("/")
        folders.add(folder)
        if name in records:
            raise Refusal(f"it has the record {shown(name)} twice; the file is damaged, or made to mislead")
        records[name] = archive.read(entry)
    if len(folders) > 1:
        raise Refusal(f"its records lie in several folders, {_some(sorted(folders))}; those of torch.save lie in one")
    return records


def _some(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:3]) + ", ..." * (len(names) > 3) if names else "nothing"

"""Guards against zip archives that would make their reader take more memory than the archive is long."""

from typing import TYPE_CHECKING

from npnets.files.fault import Fault
from npnets.files.quoting import quoted

if TYPE_CHECKING:  # the import would make up a part of the package's
    from zipfile import ZipInfo

LOCAL_HEADER = b"PK\x03\x04"
"""The first bytes of an archive that has a member."""

_HEADER_BYTES, _ENCRYPTED = 30, 1


def check_stored(entries: "list[ZipInfo]", size: int, writer: str) -> None:
    """Check that all members are stored as they are, each in bytes of its own within the file.

    Parameters
    ----------
    entries : list of ZipInfo
    size : int
        The length of the file in bytes.
    writer : str
        The function that writes such files, for the message of an error.

    Raises
    ------
    Fault
        If a member is encrypted or compressed, if two overlap, or if one reaches past the end.
    """
    end, previous = 0, "the beginning of the file"
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        name = quoted(entry.filename)
        if entry.flag_bits & _ENCRYPTED:
            raise Fault(f"its record {name} is encrypted, and {writer} encrypts nothing")
        if entry.compress_type != 0 or entry.compress_size != entry.file_size:
            raise Fault(f"its record {name} is compressed, and {writer} compresses nothing; was it packed again?")
        if entry.header_offset < end:
            raise Fault(f"its record {name} overlaps {previous}; the file is damaged or malicious")
        end, previous = entry.header_offset + _HEADER_BYTES + entry.file_size, f"its record {name}"
    if end > size:
        raise Fault(f"{previous} reaches past the end of the file, of {size} bytes; was it cut off?")

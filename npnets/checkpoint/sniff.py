"""Detection of a file's format by its first bytes, for the error when it cannot be read."""

from npnets.files.fault import DAMAGED
from npnets.files.quoting import plain
from npnets.files.zip_guards import LOCAL_HEADER

_SIZE = 8  # of the number that a .safetensors file begins with; JSON follows it


def why_unreadable(path: str, suffix: str, error: Exception) -> str:
    """Return the fault of a file that could not be read in the format of its suffix."""
    found = _suffix_of_content(path)
    if found not in (None, suffix):
        return f"expected a whole {suffix} file, but it begins as a {found} file does; was it renamed?"
    return f"expected a whole {suffix} file, but it cannot be read ({plain(error)}); {DAMAGED}"


def _suffix_of_content(path: str) -> str | None:
    with open(path, "rb") as file:
        head = file.read(_SIZE + 1)
    if head.startswith(LOCAL_HEADER):
        return ".npz"
    return ".safetensors" if head[_SIZE:] == b"{" else None

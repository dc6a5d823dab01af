"""Why a file could not be read: it is in the other format, as its first bytes tell, or it is damaged."""

from npnets.checkpoint.faults import DAMAGED, plain

_ZIP = b"PK\x03\x04"
_SIZE = 8  # of the number that a .safetensors file begins with; JSON follows it


def why_unreadable(path: str, ending: str, error: Exception) -> str:
    """Return what to say of a file that has an ending and could not be read as such a file."""
    found = _ending_of(path)
    if found not in (None, ending):
        return f"expected a whole {ending} file, but it begins as a {found} file does; was it renamed?"
    return f"expected a whole {ending} file, but it cannot be read ({plain(error)}); {DAMAGED}"


def _ending_of(path: str) -> str | None:
    with open(path, "rb") as file:
        head = file.read(_SIZE + 1)
    if head.startswith(_ZIP):
        return ".npz"
    return ".safetensors" if head[_SIZE:] == b"{" else None

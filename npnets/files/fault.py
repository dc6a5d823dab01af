"""The one error that readers of files raise among themselves, and the words for a file that was damaged."""

DAMAGED = "it was probably cut off, or changed after it was written"


class Fault(Exception):
    """A fault of a file, without the file's name: what was expected, what came, the likely cause."""

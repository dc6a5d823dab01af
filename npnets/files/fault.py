"""The error that readers of files raise internally, and the likely cause that a corrupt file's error names."""

DAMAGED = "it was probably cut off, or changed after it was written"


class Fault(Exception):
    """A fault of a file, without the file's name: what was expected, what came, the likely cause."""

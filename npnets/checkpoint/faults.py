"""What is wrong with a file, on its way to `load`, which says it together with the file's path."""

DAMAGED = "it was probably cut off, or changed after it was written"


class Fault(Exception):
    """A fault of a file: what was expected, what came, the likely cause."""

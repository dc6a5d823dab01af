"""Programs as plain Python that imports only `math`, to be read and to run under MicroPython."""

from npnets.export.python.writer import write

__all__ = ["write"]

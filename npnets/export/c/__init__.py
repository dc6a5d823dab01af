"""A program as one header of C99 that needs nothing but `<math.h>`."""

from npnets.export.c.header import write

__all__ = ["write"]

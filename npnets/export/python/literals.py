"""Numbers as they stand in a Python file: exact, packed into lines."""

from collections.abc import Iterable

import numpy as np

from npnets.export.program import Floats

WIDTH = 110
INDENT = "    "


def number(value: float) -> str:
    """Return the shortest literal that reads back as the same float64; infinity has none."""
    value = float(value)
    return repr(value) if np.isfinite(value) else f'float("{value}")'


def vector(values: Iterable[float], indent: str = "") -> str:
    """Return a tuple, in one line if it fits."""
    items = [number(value) for value in values]
    line = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if len(indent) + len(line) <= WIDTH:
        return line
    return "\n".join(["(", *_packed(items, indent + INDENT), f"{indent})"])


def rows(matrix: Floats) -> str:
    """Return a matrix as a tuple of rows, each of which begins a line."""
    return "\n".join(["(", *(f"{INDENT}{vector(row, INDENT)}," for row in matrix), ")"])


def _packed(items: list[str], indent: str) -> Iterable[str]:
    line = indent
    for item in items:
        if len(line) + len(item) + 1 > WIDTH:
            yield line.rstrip()
            line = indent
        line += f"{item}, "
    yield line.rstrip()

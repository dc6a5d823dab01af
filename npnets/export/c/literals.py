"""Numbers and arrays as C writes them: float32, with the fewest digits that give the same float32 again."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

WIDTH = 120
"""The longest line of the file."""


def literal(number: object) -> str:
    """Return the float32 nearest to a number as a constant of C, such as `0.1f`."""
    with np.errstate(over="ignore"):
        rounded = np.float32(number)  # type: ignore[arg-type]
    if not np.isfinite(rounded):
        return "NAN" if np.isnan(rounded) else "INFINITY" if rounded > 0 else "-INFINITY"
    is_usual = rounded == 0 or 1e-4 <= abs(rounded) < 1e9
    # str() would depend on NumPy's print options.
    return f"{(np.format_float_positional if is_usual else np.format_float_scientific)(rounded, trim='0')}f"


def array(kind: str, name: str, values: NDArray[np.generic]) -> list[str]:
    """Return the lines that define a constant array of one or two axes.

    Parameters
    ----------
    kind : str
        C's type of the entries, `float` or `int`.
    name : str
        The array's name.
    values : array
        Its entries.
    """
    shape = "".join(f"[{size}]" for size in values.shape)
    one = literal if kind == "float" else str
    rows = [values] if values.ndim == 1 else list(values)
    lines = [line for row in rows for line in _row([one(entry) for entry in row], nested=values.ndim > 1)]
    return [f"static const {kind} {name}{shape} = {{", *lines, "};"]


def _row(entries: list[str], nested: bool) -> Iterator[str]:
    """Yield the lines of one row, in braces of its own if it is one of several."""
    if not nested:
        yield from (f"    {line}," for line in _filled(entries, WIDTH - 5))
        return
    *before, last = _filled(entries, WIDTH - 7)
    lines = [*(f"{line}," for line in before), f"{last}}},"]
    yield f"    {{{lines[0]}"
    yield from (f"     {line}" for line in lines[1:])


def _filled(words: Iterable[str], width: int) -> Iterator[str]:
    """Yield words joined by commas in lines of at most a width."""
    line = ""
    for word in words:
        if line and len(line) + 2 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line}, {word}" if line else word
    yield line

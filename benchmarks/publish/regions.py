"""Generated regions of a page: found by their marks, and replaced.

In Markdown, a region is between `<!-- published: NAME -->` and `<!-- end of published -->`; in reStructuredText,
between `.. published: NAME` and `.. end of published`. Each mark is a separate line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MARKS = {
    ".md": ("<!-- published: {name} -->", "<!-- end of published -->"),
    ".rst": (".. published: {name}", ".. end of published"),
}


def replaced(text: str, suffix: str, block: Callable[[str], str]) -> str:
    """Return a page with every region replaced.

    Parameters
    ----------
    text : str
        The page.
    suffix : str
        `.md` or `.rst`.
    block : callable
        From a region's name to its text.

    Raises
    ------
    ValueError
        If a mark has no counterpart.
    """
    start, end = _MARKS[suffix]
    opening = re.escape(start).replace(re.escape("{name}"), r"([\w-]+)")
    region = re.compile(rf"^{opening}\n(.*?)^{re.escape(end)}$", re.M | re.S)
    starts, ends = len(re.findall(f"^{opening}$", text, re.M)), text.count(f"\n{end}\n")
    if not starts == ends == len(region.findall(text)):
        raise ValueError(f"expected one end for each start of a published region, found {starts} starts, {ends} ends")
    return region.sub(lambda found: _region(start, end, found.group(1), block(found.group(1))), text)


def _region(start: str, end: str, name: str, block: str) -> str:
    return f"{start.format(name=name)}\n\n{block.strip()}\n\n{end}"

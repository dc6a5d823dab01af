"""Which pages have published regions, and their text with each region and picture up to date."""

from __future__ import annotations

from pathlib import Path

from benchmarks.publish.blocks import BLOCKS
from benchmarks.publish.markup import Table
from benchmarks.publish.numbers import substitutions
from benchmarks.publish.records import ROOT, Records
from benchmarks.publish.regions import replaced

NUMBERS = ROOT / "docs" / "numbers.txt"


def pages(records: Records) -> dict[Path, str]:
    """Return the path and the new text of everything written by program, pictures aside.

    Raises
    ------
    ValueError
        If a page names a block that does not exist, or a block stands on no page.
    """
    found = {NUMBERS: substitutions(records)}
    placed: set[str] = set()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]:
        old = path.read_text(encoding="utf-8")
        found[path] = replaced(old, path.suffix, lambda name, path=path: _block(records, name, path, placed))  # type: ignore[misc]
    if homeless := sorted(BLOCKS.keys() - placed):
        raise ValueError(f"expected every block on some page, but {', '.join(homeless)} stand on none")
    return found


def _block(records: Records, name: str, page: Path, placed: set[str]) -> str:
    if name not in BLOCKS:
        raise ValueError(f"{page.name} asks for the block {name!r}; there are {', '.join(sorted(BLOCKS))}")
    placed.add(name)
    block = BLOCKS[name](records)
    if isinstance(block, Table):
        return block.markdown() if page.suffix == ".md" else block.rst()
    return block

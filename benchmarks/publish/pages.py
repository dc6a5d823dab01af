"""The pages with published regions, and their text with every region up to date."""

from __future__ import annotations

from pathlib import Path

from benchmarks import ROOT
from benchmarks.publish.blocks import BLOCKS
from benchmarks.publish.markup import Table
from benchmarks.publish.numbers import substitutions
from benchmarks.publish.records import Records, Unpublishable, published_from
from benchmarks.publish.regions import replaced

NUMBERS = ROOT / "docs" / "numbers.txt"


def pages(records: Records) -> dict[Path, str]:
    """Return the path and the new text of all generated pages and files, except figures.

    Raises
    ------
    Unpublishable
        If a page names a block that does not exist, a block is on no page, or a result file is incomplete.
    """
    found = {NUMBERS: substitutions(records)}
    placed: set[str] = set()
    for path in places():
        old = path.read_text(encoding="utf-8")
        try:
            found[path] = replaced(old, path.suffix, lambda name, path=path: block_of(records, name, path, placed))  # type: ignore[misc]
        except Unpublishable:
            raise
        except ValueError as error:
            raise Unpublishable(f"{_name(path)}: {error}") from None
    if unused := sorted(BLOCKS.keys() - placed):
        raise Unpublishable(f"expected every block on some page, but {', '.join(unused)} are on none")
    return found


def places() -> list[Path]:
    """Return the pages that may have regions."""
    docs = ROOT / "docs"
    guides = [path for path in sorted(docs.rglob("*.rst")) if not path.is_relative_to(docs / "_build")]
    return [*(ROOT / folder / "README.md" for folder in ("", "benchmarks", "examples")), *guides]


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def block_of(records: Records, name: str, page: Path, placed: set[str]) -> str:
    """Return the text of a block for a page, and add its name to `placed`."""
    if name not in BLOCKS:
        raise Unpublishable(f"{_name(page)} has an unknown block {name!r}; expected one of {', '.join(sorted(BLOCKS))}")
    placed.add(name)
    with published_from(records, f"{_name(page)}, block {name!r}") as part:
        block = BLOCKS[name](part)
    if isinstance(block, str):
        return block if page.suffix == ".md" else block.replace("`", "``")
    tables = [block] if isinstance(block, Table) else block
    return "\n\n".join(table.markdown() if page.suffix == ".md" else table.rst() for table in tables)

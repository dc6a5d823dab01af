"""The Python blocks of the documentation's pages, as a reader sees and pastes them.

A block is complete, or says in its first line what to paste before it: `# continues the block above` (with the blocks
that it continues) or `# continues the first block`. Hidden blocks are left out, because a reader does not see them.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_DIRECTIVE = re.compile(r"^\.\. (testcode|testoutput)::[^\n]*\n((?:   :[^\n]*\n)*)\n((?:   [^\n]*\n|\n)+)", re.M)
_COMMENT = re.compile(r"# continues the (block above|first block)\n")


@dataclass(frozen=True)
class Block:
    """One visible block: its line on the page, its code, and the output that the page shows."""

    line: int
    code: str
    shown: str = ""


def blocks_of(page: Path) -> list[Block]:
    """Return the visible Python blocks of a page, each with the output below it."""
    text = page.read_text(encoding="utf-8") + "\n"
    found: list[Block] = []
    for match in _DIRECTIVE.finditer(text):
        kind, options, body = match.groups()
        body = textwrap.dedent(body).strip("\n") + "\n"
        if kind == "testoutput":
            found[-1] = Block(found[-1].line, found[-1].code, body)
        elif ":hide:" not in options:
            found.append(Block(text.count("\n", 0, match.start()) + 1, body))
    return found


def pasted(blocks: list[Block], index: int) -> list[Block]:
    """Return the blocks that a reader pastes to run one of them: those that it says it continues, and itself."""
    match = _COMMENT.match(blocks[index].code)
    if match is None:
        return [blocks[index]]
    before = 0 if match.group(1) == "first block" else index - 1
    return [*pasted(blocks, before), blocks[index]]

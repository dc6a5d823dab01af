"""A table, in Markdown for the README and in reStructuredText for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """Column headings, rows of cells, and the sentence above the table."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    above: str = ""

    def markdown(self) -> str:
        """Return the table for a Markdown page."""
        lines = [_pipes(self.header), _pipes(["---"] * len(self.header)), *map(_pipes, self.rows)]
        return self._below_its_sentence("\n".join(lines))

    def rst(self) -> str:
        """Return the table for a page of the documentation."""
        lines = [".. list-table::", "   :header-rows: 1", "   :class: published"]
        for row in (self.header, *self.rows):
            lines += ["", *(f"   {'*' if i == 0 else ' '} - {cell}".rstrip() for i, cell in enumerate(row))]
        return self._below_its_sentence("\n".join(lines))

    def _below_its_sentence(self, table: str) -> str:
        return f"{self.above}\n\n{table}" if self.above else table


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plus_minus(score: dict[str, float]) -> str:
    """Return a mean return with its standard error, without a line break between them."""
    return f"{score['mean']:.0f}\u00a0±\u00a0{score['standard_error']:.0f}"


def code(text: str) -> str:
    """Return text formatted as code for a page of the documentation."""
    return f"``{text}``"

"""The faults that can be planted in a file: mutmut's operators applied to each of its expressions and assignments.

mutmut itself runs a fault in a wrapper around its function, and therefore omits decorated functions, here every forward
pass. With its operators alone, a fault becomes a changed file. Strings, also of CUDA source, names, annotations and
`raise` statements get no faults, because nothing is computed with them.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

OPERATORS = [(kind, operator) for kind, operator in mutation_operators if operator is not operator_string]
LEFT_OUT = (libcst.Annotation, libcst.Raise, libcst.Import, libcst.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """One fault: the file within the checkout, the lines of its statement, and the replacement."""

    path: str
    lines: range
    module: libcst.Module
    node: libcst.CSTNode
    changed: libcst.CSTNode

    @property
    def original(self) -> str:
        """The file's source without the fault."""
        return self.module.code

    @functools.cached_property
    def source(self) -> str:
        """The file's source with the fault."""
        changed = self.module.deep_replace(self.node, self.changed)
        assert isinstance(changed, libcst.Module)
        return changed.code

    def __str__(self) -> str:
        before, after = self.original.splitlines(), self.source.splitlines()
        changes = [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:3] not in _HEADERS]
        return "\n".join([f"{self.path}:{self.lines.start}", *(f"    {line}" for line in changes)])


_HEADERS = ("---", "+++", "@@ ")


class _Finder(libcst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[libcst.CSTNode, libcst.CSTNode, range]] = []

    def on_visit(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, LEFT_OUT):
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.found += [(node, changed, self._statement_lines(node)) for changed in operator(node)]
        return True

    def _statement_lines(self, node: libcst.CSTNode) -> range:
        """Return the lines of the simple statement around a node, or of the header of an `if` or a `for`."""
        while not isinstance(node, libcst.SimpleStatementLine):
            parent = self.get_metadata(ParentNodeProvider, node)
            if isinstance(parent, libcst.BaseCompoundStatement):
                break
            node = parent
        where = self.get_metadata(PositionProvider, node)
        assert isinstance(where, CodeRange)
        return range(where.start.line, where.end.line + 1)


def mutants(checkout: Path, path: str) -> Iterator[Mutant]:
    """Return every fault that can be planted in a file, in the order of the file.

    Parameters
    ----------
    checkout : Path
    path : str
        The file, relative to the checkout.
    """
    wrapper = MetadataWrapper(libcst.parse_module((checkout / path).read_text()))
    finder = _Finder()
    wrapper.visit(finder)
    for node, changed, lines in finder.found:
        yield Mutant(path, lines, wrapper.module, node, changed)

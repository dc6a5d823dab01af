"""The Python blocks of the README and of the documentation's pages as modules that a type checker can read.

A module contains a block and the blocks that it continues, on the lines that they have on their page.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from doc_blocks import Block, blocks_of, pasted

_FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
# Read by pyright alone. Strict means that every type is known, which it cannot be below a function without annotations.
_STRICT = "# pyright: strict"


def modules_of(root: Path) -> dict[str, str]:
    """Return the source of each module by its name, `<page>_<line>`."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    fences = [Block(readme.count("\n", 0, match.start()), match[1]) for match in _FENCE.finditer(readme)]
    modules = {f"README_{block.line + 1}": module_of([block]) for block in fences}
    for page in sorted((root / "docs").rglob("*.rst")):
        blocks = blocks_of(page)
        chains = [pasted(blocks, number) for number in range(len(blocks))]
        for chain in [
            chain for chain in chains if not any(chain == longer[: len(chain)] != longer for longer in chains)
        ]:
            modules[f"{page.stem}_{chain[-1].line}"] = module_of(chain)
    return modules


def module_of(blocks: list[Block]) -> str:
    """Return blocks as the source of one module, each on its own lines; the first line is not part of a block."""
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line + 1 - len(lines))
        lines += block.code.splitlines()
    if is_annotated("\n".join(lines)):
        lines[0] = _STRICT
    return "\n".join(lines) + "\n"


def is_annotated(source: str) -> bool:
    """Return whether a module has functions, and all of them are annotated."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return bool(functions) and all(_is_annotated(function) for function in functions)


def _is_annotated(function: ast.FunctionDef) -> bool:
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    bare = [one for one in given if one is not None and one.annotation is None and one.arg not in ("self", "cls")]
    return function.returns is not None and not bare

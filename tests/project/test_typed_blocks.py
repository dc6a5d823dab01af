"""Type checkers read every block of the documentation, on the lines of its page, in strict mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typed_blocks
from doc_blocks import Block, blocks_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = typed_blocks.modules_of(ROOT)

pytestmark = pytest.mark.numpy_alone("is about the documentation")


def test_every_visible_line_of_code_is_in_a_module_on_the_line_of_its_page() -> None:
    checked = {
        (module.rpartition("_")[0], number, line)
        for module, source in MODULES.items()
        for number, line in enumerate(source.splitlines(), 1)
    }
    for page in (ROOT / "docs").rglob("*.rst"):
        lines = page.read_text(encoding="utf-8").splitlines()
        for block in blocks_of(page):
            for number, line in enumerate(block.code.splitlines(), block.line + 2):
                assert lines[number - 1].strip() == line.strip()
                assert (page.stem, number, line) in checked
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    number = readme.index("import npnets") + 1
    assert ("README", number, "import npnets") in checked


def test_a_block_comes_with_the_blocks_that_it_continues(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# A\n\n```sh\nls\n```\n\n```python\nx = 1\n```\n")
    (tmp_path / "docs" / "page.rst").write_text(
        ".. testcode::\n\n   a = 1\n\n.. testcode::\n\n   # continues the block above\n   print(a)\n\n"
        ".. testcode::\n\n   b = 2\n"
    )
    modules = typed_blocks.modules_of(tmp_path)
    assert list(modules) == ["README_7", "page_5", "page_10"]  # the first block is in the second's module
    assert modules["README_7"].splitlines()[7:] == ["x = 1"]
    assert modules["page_5"].splitlines()[2:] == ["a = 1", "", "", "", "# continues the block above", "print(a)"]
    assert modules["page_10"].splitlines()[11:] == ["b = 2"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x: int, *, y: int = 0) -> int:\n    return x\n", True),
        ("class A:\n    def f(self, x: int) -> int:\n        return x\n", True),
        ("def f(x: int):\n    return x\n", False),
        ("def f(x, y: int) -> int:\n    return y\n", False),
        ("def f(*x) -> int:\n    return 0\n", False),
        ("x = lambda y: y\n", False),
    ],
)
def test_pyright_is_strict_where_there_are_functions_and_all_of_them_are_annotated(source: str, expected: bool) -> None:
    assert typed_blocks.is_annotated(source) == expected
    assert ("# pyright: strict" in typed_blocks.module_of([Block(3, source)])) == expected


def test_pages_silence_no_checker_and_cast_nothing() -> None:
    silenced = re.compile(r"type: ignore|pyright: ignore|\bcast\(")
    assert silenced.search("x = 1  # type: ignore[assignment]")
    assert [module for module, source in MODULES.items() if silenced.search(source)] == []

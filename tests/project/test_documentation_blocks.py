"""Every Python block of the documentation runs after only the blocks that it says it continues."""

from __future__ import annotations

import contextlib
import doctest
import io
import shutil
import sys
import types
from pathlib import Path

import doc_blocks
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.rst"))
BLOCKS = {
    f"{page.stem}:{block.line}": (page, number)
    for page in PAGES
    for number, block in enumerate(doc_blocks.blocks_of(page))
}

pytestmark = pytest.mark.numpy_alone("is about the documentation")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A new Python session, in a folder with the repository's examples in it."""
    try:
        (tmp_path / "examples").symlink_to(ROOT / "examples")
    except OSError:  # Windows lets only some users make links
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("session_of_a_reader")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where classes that are pickled are looked for
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_after_the_blocks_that_it_continues_prints_the_output_that_the_page_shows(
    name: str, session: types.ModuleType
) -> None:
    page, number = BLOCKS[name]
    blocks = doc_blocks.blocks_of(page)
    printed = io.StringIO()
    for block in doc_blocks.pasted(blocks, number):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.code, f"{page.name}:{block.line}", "exec"), vars(session))
    assert doctest.OutputChecker().check_output(
        blocks[number].shown, printed.getvalue(), doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE
    ), printed.getvalue()


def test_pages_of_the_guide_have_blocks_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    assert len(BLOCKS) > 50
    page = tmp_path / "page.rst"
    page.write_text(
        ".. testcode::\n\n   a = 1\n\n.. testcode::\n   :hide:\n\n   b = 2\n\n"
        ".. testcode::\n\n   # continues the block above\n   print(a)\n\n.. testoutput::\n\n   1\n"
    )
    first, second = doc_blocks.blocks_of(page)
    assert (first.code, second.line, second.shown) == ("a = 1\n", 10, "1\n")
    assert doc_blocks.pasted([first, second], 1) == [first, second]
    assert doc_blocks.pasted([first, second], 0) == [first]

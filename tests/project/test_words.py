"""Words that were replaced by the field's own do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from repository_files import ROOT

pytestmark = pytest.mark.numpy_alone("reads the source")

INSTEAD = {
    "answer": "output, result, returns",
    "breach": "violation",
    "heed": "uses",
    "steepness": "neg_log_det_tanh",
    r"\bdoor\b": "input validation, inputs",
    r"\badopt(?:ed|s)?\b": "asarray_like",
    r"\bonp\b": "np for NumPy, nnp for npnets.numpy",
    r"\balike\b": "equal, like, both",
    r"\bwanted\b": "expected; argnums in a backward pass",
    r"(?:is|are|was|were) told\b": "the subject, by its name",
    r"\b(?:expect|require)_(?:keys|width|generator|like|floating|network|flags)\b": "check_...",
}
"""What to write in place of each word, a regular expression that ignores case."""

READ = ("npnets", "docs", "examples", "benchmarks", "tests", "README.md")
ENDINGS = {".py", ".rst", ".md", ".c", ".cu"}
EXEMPT = ("tests/project/test_words.py",)


def _files() -> Iterator[tuple[str, str]]:
    """The path, from the root, and the text of every file of code or documentation."""
    for top in READ:
        path = ROOT / top
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(ROOT).as_posix()
            if file.suffix in ENDINGS and not name.startswith(EXEMPT):
                yield name, file.read_text(encoding="utf-8")


def replaced_words(text: str) -> list[tuple[int, str, str]]:
    """Return the line, the word, and what to write in its place, of every such word in a text."""
    every = re.compile("|".join(f"({word})" for word in INSTEAD), re.IGNORECASE)
    found = list(every.finditer(text))
    return [(text.count("\n", 0, m.start()) + 1, m[0], list(INSTEAD.values())[(m.lastindex or 1) - 1]) for m in found]


def test_words_that_were_replaced_do_not_come_back() -> None:
    faults = [
        f"{path}:{line}: {word}; write {instead}"
        for path, text in _files()
        for line, word, instead in replaced_words(text)
    ]
    assert not faults, "\n".join(["", *faults])


@pytest.mark.parametrize(
    "text", ["the answers of", "def _answer_of(x):", "at the Door", "test_it_is_told", "x = onp.ones(3)"]
)
def test_a_replaced_word_is_found_in_any_form(text: str) -> None:
    assert replaced_words(f"first\n{text}") and replaced_words(f"first\n{text}")[0][0] == 2


@pytest.mark.parametrize("text", ["outdoors", "the hill is steep", "adoption by users", "jonp = 3", "likely"])
def test_other_words_that_contain_a_replaced_word_pass(text: str) -> None:
    assert replaced_words(text) == []

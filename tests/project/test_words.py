"""Words that standard terms of the field have replaced do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from repository_files import ROOT

pytestmark = pytest.mark.numpy_alone("reads the source")

REPLACED = {
    "answer": (r"answer", "output, result, returns"),
    "breach": (r"breach", "violation"),
    "heed": (r"heed", "uses"),
    "steepness": (r"steepness", "neg_log_det_tanh"),
    "door": (r"(?<![a-z])door(?![a-z])", "input validation, inputs"),
    "adopt": (r"\badopt(?:ed|s)?\b", "asarray_like"),
    "onp": (r"\bonp\b", "np for NumPy, nnp for npnets.numpy"),
    "alike": (r"alike\(", "check_like, check_close"),
    "wanted": (r"(?<![a-z])wanted(?![a-z])", "expected; argnums in a backward pass"),
    "told": (r"(?:is|are|was|were)[ _]told\b", "the subject, by its name"),
    "expect_": (r"\bexpect_(?:keys|width|floating|network|flags)\b", "check_..."),
    "require_": (r"\brequire_(?:generator|like|floating|network)\b", "check_..."),
}
"""By letters that each word contains: the word as a regular expression, and what to write in its place."""

READ = ("CONTRIBUTING.md", "README.md", "benchmarks", "docs", "examples", "npnets", "scripts", "tests")
ENDINGS = {".c", ".cu", ".h", ".md", ".py", ".rst"}
SKIPPED = (
    "tests/project/test_words.py",  # which names the words
)
"""Beginnings of paths, from the root of the repository, of files that are not read."""


def _files() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file of code or documentation."""
    for path in (found for top in READ for found in [ROOT / top, *(ROOT / top).rglob("*.*")]):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in ENDINGS and not name.startswith(SKIPPED):
            yield name, path.read_text(encoding="utf-8")


def replaced_words(text: str) -> list[str]:
    """Return every replaced word in a text, with its line and what to write in its place."""
    text, faults = text.lower(), []
    for letters, (word, instead) in REPLACED.items():
        if letters in text:  # which is much quicker than to search by the expression
            found = re.finditer(word, text)
            faults += [f"{text.count(chr(10), 0, m.start()) + 1}: {m[0]!r}, write: {instead}" for m in found]
    return faults


def test_words_that_standard_terms_have_replaced_do_not_come_back() -> None:
    faults = [f"{path}:{fault}" for path, text in _files() for fault in replaced_words(text)]
    assert not faults, "\n".join(["", *faults])


@pytest.mark.parametrize(
    "text",
    [
        "the answers of",
        "_answer_of(x)",
        "at the Door",
        "at_the_door(x)",
        "test_it_is_told",
        "onp.ones(3)",
        "expect_keys(p)",
    ],
)
def test_a_replaced_word_is_found_in_every_form_with_its_line(text: str) -> None:
    (fault,) = replaced_words(f"first\n{text}")
    assert fault.startswith("2: ")


@pytest.mark.parametrize(
    "text", ["outdoors", "unwanted", "the hill is steep", "adoption by users", "likely", "he told us"]
)
def test_other_words_are_allowed(text: str) -> None:
    assert replaced_words(text) == []

"""Words that standard terms of the field have replaced do not come back."""

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
    r"(?:is|are|was|were)[ _]told\b": "the subject, by its name",
    r"\b(?:expect|require)_(?:keys|width|generator|like|floating|network|flags)\b": "check_...",
}
"""The words, as regular expressions that ignore case, and what to write in their place."""

READ = ("README.md", "benchmarks", "docs", "examples", "npnets", "tests")
ENDINGS = {".c", ".cu", ".md", ".py", ".rst"}
SKIPPED = (
    "tests/project/test_words.py",  # which names the words
    # not yet without them
    "docs/",
    "examples/",
    "npnets/autodiff/",
    "npnets/backend.py",
    "npnets/checkpoint/",
    "npnets/distributions/",
    "npnets/interop/",
    "npnets/kernels/",
    "npnets/numpy/",
    "npnets/tree/",
    "tests/autodiff/",
    "tests/checkpoint/",
    "tests/distributions/",
    "tests/interop/",
    "tests/kernels/",
    "tests/numpy/",
    "tests/optim/",
    "tests/parallel/",
    "tests/sabotage/",
)
"""Beginnings of paths, from the root of the repository, of files that are not read."""

_ANY = re.compile("|".join(f"({word})" for word in INSTEAD), re.IGNORECASE)


def _files() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file of code or documentation."""
    for path in (found for top in READ for found in [ROOT / top, *(ROOT / top).rglob("*.*")]):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in ENDINGS and not name.startswith(SKIPPED):
            yield name, path.read_text(encoding="utf-8")


def replaced_words(text: str) -> list[str]:
    """Return every replaced word in a text, with its line and what to write in its place."""
    instead = list(INSTEAD.values())
    found = [(text.count("\n", 0, m.start()) + 1, m[0], instead[(m.lastindex or 1) - 1]) for m in _ANY.finditer(text)]
    return [f"{line}: {word!r}, write: {better}" for line, word, better in found]


def test_words_that_standard_terms_have_replaced_do_not_come_back() -> None:
    faults = [f"{path}:{fault}" for path, text in _files() for fault in replaced_words(text)]
    assert not faults, "\n".join(["", *faults])


@pytest.mark.parametrize(
    "text", ["the answers of", "_answer_of(x)", "at the Door", "test_it_is_told", "onp.ones(3)", "expect_keys(p)"]
)
def test_a_replaced_word_is_found_in_every_form_with_its_line(text: str) -> None:
    (fault,) = replaced_words(f"first\n{text}")
    assert fault.startswith("2: ")


@pytest.mark.parametrize("text", ["outdoors", "the hill is steep", "adoption by users", "likely", "he told us"])
def test_other_words_are_allowed(text: str) -> None:
    assert replaced_words(text) == []

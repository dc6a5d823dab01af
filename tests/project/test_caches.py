"""Every cache of the package is bounded, and `npnets.memory.clear` empties it."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import npnets
from npnets import caches, functional

pytestmark = pytest.mark.numpy_alone("reads the source")

PACKAGE = Path(npnets.__file__).parent
UNLISTED = {"cache", "lru_cache"}


def unlisted_caches(source: str) -> list[int]:
    """Lines that make a cache with `functools` and not with `npnets.caches.bounded_cache`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        attribute = isinstance(node, ast.Attribute) and node.attr in UNLISTED
        imported = isinstance(node, ast.ImportFrom) and UNLISTED & {alias.name for alias in node.names}
        if attribute or imported:
            lines.append(node.lineno)  # type: ignore[attr-defined]
    return lines


def test_every_cache_of_the_package_is_made_by_bounded_cache() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "caches.py"]
    assert len(files) > 100
    assert [path for path in files if unlisted_caches(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    ["@functools.cache\ndef f(): ...", "@functools.lru_cache(maxsize=9)\ndef f(): ...", "from functools import cache"],
)
def test_a_cache_that_is_not_listed_is_found(source: str) -> None:
    assert unlisted_caches(source)


def test_every_cache_is_bounded() -> None:
    assert len(caches._caches) >= 10
    assert all(isinstance(cached.cache_info().maxsize, int) for cached in caches._caches)


def test_a_bounded_cache_computes_once_until_it_is_cleared() -> None:
    functional.squash(np.zeros((2, 3), np.float32), (1.0, 2.0, 3.0))
    assert functional._bounds.cache_info().currsize > 0
    npnets.memory.clear()
    assert {cached.cache_info().currsize for cached in caches._caches} == {0}

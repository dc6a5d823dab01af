"""Shared by the tests of hostile pickles: loading them within little memory and time, with none of their code run."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from torch_archives import RUN, called, harmless, name, value

from npnets.interop import pickle_file

CHOICES: list[Any] = ["error", "keep", "omit"]
LITTLE_MEMORY = 20 * 2**20
LITTLE_TIME = 30.0
"""Seconds, on a busy machine."""


def load(pickled: bytes, foreign: Any = "keep") -> Any:
    """Load a pickle: none of its code may run, what results must be harmless, and an error one short line."""
    RUN.clear()
    try:
        loaded = pickle_file.load(pickled, foreign=foreign, most_bytes=2**20)
    except ValueError as error:
        assert str(error).startswith("the pickle cannot be read: ") and "\n" not in str(error)
        assert len(str(error)) < 700
        raise
    finally:
        assert RUN == []
    assert harmless(loaded)
    return loaded


def read_or_refused(pickled: bytes) -> None:
    """Load a pickle, or see it refused, with every choice for objects of other classes."""
    for foreign in CHOICES:
        try:
            repr(load(pickled, foreign))
        except ValueError:
            pass


def refused(pickled: bytes, words: str, foreign: Any = "keep") -> None:
    """Check that loading a pickle is an error with these words, in little memory and time."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(ValueError, match=words):
            load(pickled, foreign)
        assert tracemalloc.get_traced_memory()[1] < LITTLE_MEMORY
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - begin < LITTLE_TIME


def cases(named: dict[str, tuple[bytes, str]]) -> Any:
    """Run a test for each pickle, with the words of its error."""
    return pytest.mark.parametrize(("pickled", "words"), named.values(), ids=named)


OBJECT = name("a.B") + b")R"
NUMBERS = called("numpy._core.multiarray._reconstruct", name("numpy.ndarray"), b"K\x00\x85", b"C\x01b")
F4 = value(np.dtype("f4"))
"""The instructions for an object of another class, an array without a state, and a dtype."""

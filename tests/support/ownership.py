"""Whether arrays share no memory with others, tested by writing to them, which works on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from backends import assert_array_equal, bits, on_backend

import npnets


def assert_owned(arrays: Any, others: Any) -> None:
    """Fail unless every leaf of `arrays` can be written to without changing any other leaf, of it or of `others`.

    Different numbers are written into the entries, so that an array with two entries in one place of memory is found
    too. The arrays keep these numbers.
    """
    leaves = npnets.tree.leaves(arrays)
    before = bits(others)
    for index, leaf in enumerate(leaves):
        rest = leaves[:index] + leaves[index + 1 :]
        kept, expected = bits(rest), npnets.tree.to_numpy(leaf) + _steps(leaf)
        leaf += on_backend(_steps(leaf))
        assert_array_equal(leaf, expected)
        assert bits(rest) == kept, f"leaf {index} shares memory with another"
        assert bits(others) == before, f"leaf {index} shares memory with an array of the caller"


def _steps(leaf: Any) -> Any:
    return np.arange(1, leaf.size + 1).reshape(leaf.shape).astype(leaf.dtype)

"""A tree in a mapped file is the same tree, read without a copy, in any process."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npnets
from npnets.parallel.mapped_tree import MappedTree, remove_abandoned

pytestmark = pytest.mark.numpy_alone("about files with arrays of NumPy")

ARRAYS = npst.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.complex64]),
    npst.array_shapes(min_dims=0, min_side=0),
)
TREES = st.recursive(
    ARRAYS | st.integers() | st.text() | st.none(),
    lambda parts: st.dictionaries(st.text(), parts, max_size=4) | st.lists(parts, max_size=4) | st.tuples(parts, parts),
    max_leaves=8,
)


def mapped(tree: Any) -> Any:
    """Return a tree as a worker reads it."""
    written = MappedTree(tree)
    try:
        return pickle.loads(pickle.dumps(written)).load()
    finally:
        written.remove()


@given(TREES)
def test_a_tree_comes_out_as_it_went_in(tree: Any) -> None:
    found = mapped(tree)
    assert npnets.tree.paths(found) == npnets.tree.paths(tree)
    for one, other in zip(npnets.tree.leaves(found), npnets.tree.leaves(tree), strict=True):
        if isinstance(other, np.ndarray):
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        else:
            assert one == other


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.arange(9)[::2], np.array([{"a": 1}, None])])
def test_arrays_of_any_layout_come_out_equal(array: Any) -> None:
    np.testing.assert_array_equal(mapped({"a": array})["a"], array)


def test_arrays_are_aligned_read_only_and_no_copies() -> None:
    tree = {"odd": np.ones(3, np.int8), "weight": np.ones((64, 64), np.float32)}
    found = mapped(tree)
    for array in found.values():
        assert array.ctypes.data % 64 == 0
        assert not array.flags.writeable
        assert not array.flags.owndata


def test_the_file_is_gone_once_it_is_removed_and_the_tree_stays() -> None:
    written = MappedTree({"a": np.arange(5)})
    found = written.load()
    assert Path(written.path).exists()
    written.remove()
    written.remove()
    assert not Path(written.path).exists()
    np.testing.assert_array_equal(found["a"], np.arange(5))


def test_a_tree_that_cannot_be_pickled_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        MappedTree({"a": lambda: 1})
    assert os.listdir(tmp_path) == []


def test_a_file_is_removed_once_nobody_has_the_tree() -> None:
    written = MappedTree({"a": np.arange(5)})
    path = Path(written.path)
    pickle.loads(pickle.dumps(written))
    assert path.exists()
    del written
    assert not path.exists()


def test_files_of_processes_that_were_killed_are_removed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written = MappedTree({"a": 1})
    abandoned, new, other = (tmp_path / name for name in ("npnets-shared-old", "npnets-shared-new", "other"))
    for path in (abandoned, new, other):
        path.touch()
    for path in (abandoned, other, written.path):
        os.utime(path, (0, 0))
    remove_abandoned()
    assert sorted(map(str, tmp_path.iterdir())) == sorted(map(str, (new, other, written.path)))


def test_emptying_the_caches_lets_go_of_the_tree_that_was_read_last() -> None:
    from npnets.parallel import mapped_tree

    mapped({"a": np.arange(5)})
    assert mapped_tree._load.cache_info().currsize == 1
    npnets.memory.clear()
    assert mapped_tree._load.cache_info().currsize == 0

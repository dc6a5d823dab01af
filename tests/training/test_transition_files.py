"""Transitions in files that are only added to give the buffer back bit for bit, whatever was added since."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npnets import checkpoint, data
from npnets.checkpoint import CheckpointError
from npnets.training import transition_files

pytestmark = pytest.mark.numpy_alone("a replay buffer is in NumPy's arrays")


MARK = "a digest of settings"


def add(buffer: data.ReplayBuffer, number: int) -> None:
    """Add transitions that tell their number in the order of all."""
    for index in range(buffer.added, buffer.added + number):
        here = np.full(2, index, np.float32)
        buffer.add(here, here[:1], float(index), here + 1, index % 3 == 0)


def contents(buffer: data.ReplayBuffer) -> list[bytes]:
    return [column.tobytes() for column in buffer.take(np.arange(len(buffer)))]


def saved(folder: Path, buffer: data.ReplayBuffer, before: int) -> int:
    transition_files.save_new(folder, MARK, buffer, before)
    transition_files.remove_replaced(folder, buffer)
    return buffer.added


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(capacity=st.integers(1, 9), batches=st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_a_buffer_is_loaded_as_it_was_saved_however_often_it_has_been_filled(
    tmp_path_factory: pytest.TempPathFactory, capacity: int, batches: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("transitions")
    buffer, before = data.ReplayBuffer(capacity, reward_dtype=np.float32), 0
    for number in batches:
        add(buffer, number)
        before = saved(folder, buffer, before)
    found = transition_files.load(folder, MARK, data.ReplayBuffer(capacity, reward_dtype=np.float32), buffer.added)
    assert found.added == buffer.added
    if len(buffer):
        assert contents(found) == contents(buffer)
        draws = [one.sample(np.random.default_rng(1), 5) for one in (found, buffer)]
        assert [column.tobytes() for column in draws[0]] == [column.tobytes() for column in draws[1]]


def test_files_whose_transitions_were_all_replaced_are_deleted_and_no_others(tmp_path: Path) -> None:
    buffer, before = data.ReplayBuffer(10), 0
    for _ in range(5):
        add(buffer, 4)
        before = saved(tmp_path, buffer, before)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["000000000008", "000000000012", "000000000016"]


def test_a_file_that_a_killed_checkpoint_left_behind_changes_nothing(tmp_path: Path) -> None:
    buffer = data.ReplayBuffer(10)
    add(buffer, 4)
    saved(tmp_path, buffer, 0)
    expected = contents(buffer)
    add(buffer, 3)
    transition_files.save_new(tmp_path, MARK, buffer, 4)  # and then the process is killed
    found = transition_files.load(tmp_path, MARK, data.ReplayBuffer(10), 4)
    assert contents(found) == expected
    add(found, 5)
    saved(tmp_path, found, 4)
    assert contents(transition_files.load(tmp_path, MARK, data.ReplayBuffer(10), 9)) == contents(found)


def test_a_killed_checkpoint_does_not_hide_the_transitions_of_a_later_one(tmp_path: Path) -> None:
    buffer = data.ReplayBuffer(10)
    add(buffer, 4)
    before = saved(tmp_path, buffer, 0)
    add(buffer, 30)
    transition_files.save_new(tmp_path, MARK, buffer, before)  # from 24 on, and then the process is killed
    buffer = transition_files.load(tmp_path, MARK, data.ReplayBuffer(10), before)
    add(buffer, 25)
    saved(tmp_path, buffer, before)  # from 19 on
    assert contents(transition_files.load(tmp_path, MARK, data.ReplayBuffer(10), 29)) == contents(buffer)


def test_a_file_under_the_name_of_another_is_an_error(tmp_path: Path) -> None:
    buffer, before = data.ReplayBuffer(100), 0
    for _ in range(2):
        add(buffer, 4)
        before = saved(tmp_path, buffer, before)
    shutil.copy(tmp_path / "000000000000.npz", tmp_path / "000000000004.npz")
    with pytest.raises(CheckpointError, match="000000000004.npz begins with transition 0"):
        transition_files.load(tmp_path, MARK, data.ReplayBuffer(100), 8)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("how", ["missing", "truncated"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_missing_or_truncated_file_is_an_error_that_names_it(tmp_path: Path, which: int, how: str) -> None:
    buffer, before = data.ReplayBuffer(100), 0
    for _ in range(3):
        add(buffer, 4)
        before = saved(tmp_path, buffer, before)
    damage(tmp_path / f"{4 * which:012}.npz", how)
    expected: Any = f"{4 * which:012}.npz" if how == "truncated" else "a file is missing"
    with pytest.raises(CheckpointError, match=expected):
        transition_files.load(tmp_path, MARK, data.ReplayBuffer(100), 12)


@pytest.mark.parametrize("other", [{"weight": np.zeros(3)}, {"reward": np.zeros(4), "obs": np.zeros(3)}])
def test_a_file_of_something_else_is_an_error_that_names_it(tmp_path: Path, other: dict[str, Any]) -> None:
    buffer = data.ReplayBuffer(100)
    add(buffer, 4)
    saved(tmp_path, buffer, 0)
    checkpoint.save(tmp_path / f"{0:012}.npz", other)
    with pytest.raises(CheckpointError, match="000000000000.npz has no transitions of a replay buffer, but"):
        transition_files.load(tmp_path, MARK, data.ReplayBuffer(100), 4)

"""The transitions of a replay buffer in files that never change, so that a checkpoint costs what is new alone.

Every checkpoint writes the transitions that were added since the one before it as one file, whose name is the number of
the first. A file is deleted once the buffer has replaced all of its transitions and a checkpoint says so, or if its
checkpoint was not completed.
"""

from pathlib import Path
from typing import Any

import numpy as np

from npnets import checkpoint
from npnets.data import ReplayBuffer, Transitions
from npnets.training.saved_state import check_mark

_DIGITS = 12  # of a file's name


def save_new(folder: Path, mark: str, buffer: ReplayBuffer, saved: int) -> None:
    """Write the transitions that were added since `saved` of them had been added; delete files with such ones."""
    first = max(saved, buffer.added - buffer.capacity)
    for stale in (other for other in _firsts(folder) if other >= saved):  # of a checkpoint that was not completed
        _file(folder, stale).unlink(missing_ok=True)
    if first < buffer.added:
        folder.mkdir(exist_ok=True)
        found = buffer.take(np.arange(first, buffer.added) % buffer.capacity)
        checkpoint.save(_file(folder, first), found._asdict(), {"mark": mark, "first": first})


def remove_replaced(folder: Path, buffer: ReplayBuffer) -> None:
    """Delete the files whose transitions the buffer has replaced."""
    firsts = _firsts(folder)
    for first, following in zip(firsts, firsts[1:], strict=False):
        if following <= buffer.added - buffer.capacity:
            _file(folder, first).unlink(missing_ok=True)


def load(folder: Path, mark: str, empty: ReplayBuffer, added: int) -> ReplayBuffer:
    """Return a buffer like `empty` as it was when `added` transitions had been added.

    Raises
    ------
    CheckpointError
        If a file is corrupt or missing, has something else, or is of a run with another mark.
    """
    if not added:
        return empty
    rows = min(added, empty.capacity)
    arrays: dict[str, Any] = {}
    covered = added - rows
    for first in _firsts(folder):
        if first >= added:
            continue  # of a checkpoint that was not completed
        found = _read(_file(folder, first), mark, first)
        number = len(found["reward"])
        if first > covered:
            break
        for name in Transitions._fields:
            column = arrays.setdefault(name, np.empty((rows, *found[name].shape[1:]), found[name].dtype))
            column[np.arange(first, first + number) % empty.capacity] = found[name]
        covered = max(covered, first + number)
    if covered != added:
        raise checkpoint.CheckpointError(
            f"{folder} lacks transitions: the checkpoint has {added}, and the files reach to {covered}; a file is "
            "missing, so that this run cannot be continued"
        )
    probe = ReplayBuffer.from_state(empty.state())
    probe.add(*(arrays[name][:1] for name in Transitions._fields))
    return ReplayBuffer.from_state({**probe.state(), "added": added, "arrays": arrays})


def _read(path: Path, mark: str, first: int) -> dict[str, Any]:
    found: Any
    found, facts = checkpoint.load(path)
    if set(found) != set(Transitions._fields) or len({len(column) for column in found.values()}) != 1:
        raise checkpoint.CheckpointError(
            f"{path} has no transitions of a replay buffer, but {', '.join(map(str, found)):.80}; is it another file?"
        )
    check_mark(path, facts.get("mark"), mark)
    if facts["first"] != first:
        raise checkpoint.CheckpointError(f"{path} begins with transition {facts['first']}: give it that name again")
    return dict(found)


def _file(folder: Path, first: int) -> Path:
    return folder / f"{first:0{_DIGITS}}.npz"


def _firsts(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("[0-9]" * _DIGITS + ".npz"))

"""`progress.csv` always is whole, its columns are those of all rows, and TensorBoard's files have the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from npnets.training.records import Records, read_rows, write_rows

pytestmark = pytest.mark.numpy_alone("is about files")

ROWS: list[dict[str, Any]] = [
    {"steps": 0, "seconds": 0.5, "return": -3.0, "return_std": 0.1},
    {"steps": 10, "seconds": 1.0, "return": float("nan"), "return_std": 0.1, "actor": 1e-300},
]


def test_rows_are_read_as_they_were_written_with_the_columns_of_all(tmp_path: Path) -> None:
    write_rows(tmp_path / "progress.csv", ROWS)
    found = read_rows(tmp_path / "progress.csv")
    whole = [{name: float(value) for name, value in row.items()} | {"steps": int(row["steps"])} for row in ROWS]
    assert repr(found) == repr(whole)
    text = (tmp_path / "progress.csv").read_text()
    assert text == ("steps,seconds,return,return_std,actor\n0,0.5,-3.0,0.1,\n10,1.0,nan,0.1,1e-300\n")


def test_rows_after_the_step_from_which_a_run_goes_on_are_dropped(tmp_path: Path) -> None:
    write_rows(tmp_path / "progress.csv", ROWS)
    records = Records(tmp_path, 9, 20, tensorboard=False)
    assert [row["steps"] for row in records.rows] == [0]
    records.add(ROWS[1])
    records.close()
    assert [row["steps"] for row in read_rows(tmp_path / "progress.csv")] == [0, 10]


def test_tensorboards_files_have_every_number_of_every_row(tmp_path: Path) -> None:
    records = Records(tmp_path, 0, 20, tensorboard=True)
    records.add({"steps": 10, "seconds": 1.0, "return": -2.5, "actor": 0.25})
    records.close()
    assert written(tmp_path / "tensorboard") == {("return", 10): -2.5, ("actor", 10): 0.25, ("seconds", 10): 1.0}


def written(folder: Path) -> dict[tuple[str, int], float]:
    """Return the numbers of an event file: records of a length, a checksum, a message of protobuf, and a checksum."""
    (path,) = folder.iterdir()
    found = {}
    for event in events(path.read_bytes()):
        found.update({(value.tag, event.step): value.simple_value for value in event.summary.value})
    return found


def events(content: bytes) -> Iterator[Any]:
    """Yield the messages of an event file."""
    from tensorboardX.proto.event_pb2 import Event

    while content:
        length = int.from_bytes(content[:8], "little")
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_tensorboard_drops_what_a_killed_process_wrote_after_the_step_from_which_a_run_goes_on(tmp_path: Path) -> None:
    for step in (0, 0, 10):
        before = set(tmp_path.glob("tensorboard/*"))
        Records(tmp_path, step, 20, tensorboard=True).close()
        (path,) = set(tmp_path.glob("tensorboard/*")) - before
        assert purged(path) == (step + 1 if before else None)
        path.rename(path.with_name(f"{path.name}.{len(before)}"))  # a later file of the same second has its name


def purged(path: Path) -> int | None:
    """Return the step from which TensorBoard drops the events of earlier files."""
    found = [event.step for event in events(path.read_bytes()) if event.session_log.status == 1]
    return found[0] if found else None

"""The rows of a run: a CSV file, TensorBoard's files on request, and a progress bar with the latest return.

`progress.csv` has a row for each evaluation: `steps, seconds, return, return_std` and the losses. It is written whole
each time, beside the old one and renamed, so that it never has half a row.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from npnets.files.atomic_write import replace_text

Row = dict[str, float]
PROGRESS, BOARD = "progress.csv", "tensorboard"
ALWAYS = ("steps", "seconds", "return", "return_std")
"""The columns that every row has a number in."""


class Records:
    """The rows of a run so far; those after `steps` are dropped, as of a run that is continued from a checkpoint.

    Parameters
    ----------
    folder : Path
    steps, total : int
        Steps taken, and of the whole run.
    tensorboard : bool
        Whether to write TensorBoard's files too, into the folder `tensorboard`.

    Attributes
    ----------
    rows : list of dict
    """

    def __init__(self, folder: Path, steps: int, total: int, tensorboard: bool) -> None:
        self._path = folder / PROGRESS
        self.rows = [row for row in read_rows(self._path) if row["steps"] <= steps]
        self._board = _board(folder / BOARD, steps) if tensorboard else None
        self._bar = _bar(folder.name, steps, total)
        self._show()

    def advance(self, steps: int) -> None:
        """Move the progress bar to a number of steps."""
        self._bar.update(steps - self._bar.n)

    def add(self, row: Row) -> None:
        """Add a row to every place."""
        self.rows.append(row)
        self.write()
        if self._board is not None:
            for name, value in row.items():
                if name != "steps":
                    self._board.add_scalar(name, value, int(row["steps"]))
            self._board.flush()
        self._show()

    def write(self) -> None:
        """Write the file, which loses dropped rows by that."""
        write_rows(self._path, self.rows)

    def close(self) -> None:
        """End the progress bar and close TensorBoard's files."""
        self._bar.close()
        if self._board is not None:
            self._board.close()

    def _show(self) -> None:
        if self.rows:
            self._bar.set_postfix_str(f"return {self.rows[-1]['return']:.1f}", refresh=False)


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a `progress.csv`, none if there is no file; a cell without a number is left out.

    Raises
    ------
    ValueError
        If a column is missing that every file has, a cell is no number, or a row has too many cells or too few.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            reader = csv.DictReader(file)
            _check_columns(reader.fieldnames or ())
            return [_numbers_of(row) for row in reader]
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error


def _check_columns(found: Sequence[str]) -> None:
    if missing := [name for name in ALWAYS if name not in found]:
        raise ValueError(f"the first line lacks {' and '.join(missing)}")


def _numbers_of(row: dict[Any, Any]) -> Row:
    if None in row:
        raise ValueError("a row has more cells than the first line")
    found = {name: float(cell) for name, cell in row.items() if cell}
    if missing := [name for name in ALWAYS if name not in found]:
        raise ValueError(f"a row lacks {' and '.join(missing)}")
    if not math.isfinite(found["steps"]):
        raise ValueError(f"the steps of a row are {found['steps']}")
    return {**found, "steps": int(found["steps"])}


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as CSV; the columns are those of all rows, in the order in which they came up."""
    text = io.StringIO()
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "steps": int(row["steps"])} for row in rows)
    replace_text(path, text.getvalue())


def check_names(losses: Mapping[str, Any]) -> None:
    """Check that no loss has the name of a column that every row has."""
    if taken := [name for name in ALWAYS if name in losses]:
        raise ValueError(f"expected losses by other names than {', '.join(ALWAYS)}, but got {', '.join(taken)}")


def numbers(values: Mapping[str, Any]) -> Row:
    """Return zero-dimensional arrays of any device as numbers."""
    return {name: float(value) for name, value in values.items()}


def _bar(name: str, steps: int, total: int) -> Any:
    """Return a progress bar, which shows itself on a terminal alone."""
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError("the progress bar needs tqdm: pip install 'npnets[examples]'") from None
    return tqdm(total=total, initial=steps, desc=name, unit="step", mininterval=0.5, disable=None)


def _board(folder: Path, steps: int) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ImportError("--tensorboard needs tensorboardX: pip install 'npnets[tensorboard]'") from None
    return SummaryWriter(str(folder), purge_step=steps + 1 if folder.exists() else None)  # those of a killed process

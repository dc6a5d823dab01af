"""A recording: transitions in the order of time, and where the recording of an episode stops without a terminal state.

`columns` are arrays by the names of `Transitions`, and `truncated`. Errors call them by their `names` in a file.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array
from npnets.data.arrays import flags, rows_not_finite
from npnets.data.transitions import FIELDS, Transitions
from npnets.files.fault import Fault

NAMES = {name: name for name in (*FIELDS, "truncated")}
NUMBERS = ("reward", "terminated", "truncated")
"""The columns of which each step has a number."""
Arrays = dict[str, NDArray[Any]]


class Recording(NamedTuple):
    """Recorded steps of an environment, in the order of time.

    Attributes
    ----------
    transitions : Transitions
        `n` of them, one episode after the other.
    truncated : (n,) array of bool
        Whether the episode, or its recording, stops after the step although no terminal state was reached.
    """

    transitions: Transitions
    truncated: Array

    def episodes(self) -> list[Transitions]:
        """Return the transitions of each episode, views of all transitions, in the order of the recording.

        Returns
        -------
        list of Transitions
            The last one may have no end.
        """
        ends = np.flatnonzero(self.transitions.terminated | self.truncated) + 1
        borders = [0, *ends.tolist(), len(self.truncated)]
        pairs = zip(borders, borders[1:], strict=False)
        return [Transitions(*(column[a:b] for column in self.transitions)) for a, b in pairs if a < b]


def recording_of(columns: Arrays, check_finite: bool, names: Mapping[str, str] = NAMES) -> Recording:
    """Return columns as a recording.

    Raises
    ------
    Fault
        If shapes do not fit together, there are no steps, or numbers are of another kind.
    """
    for name, column in columns.items():
        _check_numbers(names[name], column)
    _check_shapes(columns, names)
    found = {name: np.ascontiguousarray(column, column.dtype.newbyteorder("=")) for name, column in columns.items()}
    for name in ("terminated", "truncated"):
        found[name] = flags_of_steps(names[name], found[name])
    if found["reward"].dtype.kind != "f":
        found["reward"] = found["reward"].astype(np.float64)
    if check_finite:
        _check_finite(found, names)
    found["truncated"][-1] |= not found["terminated"][-1]
    return Recording(Transitions(*(found[name] for name in FIELDS)), found["truncated"])


def flags_of_steps(name: str, column: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a copy of a file's column of flags as booleans, or raise a `Fault`."""
    _check_numbers(name, column)
    _check_one_for_each_step(name, column)
    try:
        return flags(name, column).copy()
    except ValueError as error:
        raise Fault(str(error)) from None


def rows_equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of two arrays of one shape are equal; NaN equals NaN."""
    same = (a == b) | ((a != a) & (b != b))
    return np.asarray(same.all(tuple(range(1, same.ndim))), np.bool_)


def _check_numbers(name: str, column: NDArray[Any]) -> None:
    if column.dtype.kind not in "biuf":
        raise Fault(f"expected numbers in {name}, got dtype {column.dtype}")


def _check_one_for_each_step(name: str, column: NDArray[Any]) -> None:
    if column.ndim != 1:
        raise Fault(f"expected {name} of shape (n,), a number for each step, got {column.shape}")


def _check_shapes(columns: Arrays, names: Mapping[str, str]) -> None:
    shapes = ", ".join(f"{names[name]} {column.shape}" for name, column in columns.items())
    for name in NUMBERS:
        _check_one_for_each_step(names[name], columns[name])
    if len({column.shape[:1] for column in columns.values()}) > 1:
        raise Fault(f"expected one row for each step in every array, got lengths that differ: {shapes}")
    if columns["obs"].shape != columns["next_obs"].shape:
        raise Fault(f"expected {names['obs']} and {names['next_obs']} of one shape, got {shapes}")
    if not len(columns["reward"]):
        raise Fault(f"expected at least one step, got {shapes}; was anything recorded?")


def _check_finite(columns: Arrays, names: Mapping[str, str]) -> None:
    for name, column in columns.items():
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            rows = rows_not_finite(column)
            raise Fault(
                f"expected finite numbers in {names[name]}, but {len(rows)} of {len(column)} steps have NaN or "
                f"infinite ones, the first in row {rows[0]}; check_finite=False accepts them"
            )

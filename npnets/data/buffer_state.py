"""The state of a replay buffer as a tree that a checkpoint holds, and the check of one that comes from a file.

`{"capacity", "added", "check_finite", "columns": {name: {"shape", "dtype", "rounds"}}, "arrays": {name: (n, ...)}}`,
where `arrays` is `None` before the first batch.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from npnets.backend import to_numpy
from npnets.data.columns import FLAGS, Arrays, Column, Columns, dtype_of, shape_of
from npnets.data.transitions import FIELDS
from npnets.description import size
from npnets.tree import Tree

_KEYS = ("capacity", "added", "check_finite", "columns", "arrays")


def saved_columns(columns: Columns) -> dict[str, Tree]:
    """Return the form of each column as a tree of numbers, strings and `None`."""
    return {
        name: {
            "shape": None if column.shape is None else list(column.shape),
            "dtype": None if column.dtype is None else column.dtype.name,
            "rounds": column.rounds,
        }
        for name, column in columns.items()
    }


def checked_state(state: Any) -> tuple[Columns, Arrays | None]:
    """Return the columns of a state, and their rows if there are any, once it is checked that they fit together.

    Raises
    ------
    ValueError
        If it is no state of a replay buffer.
    """
    _check_keys("state", state, _KEYS)
    _check_flag("check_finite", state["check_finite"])
    try:
        capacity, added = size("capacity", state["capacity"]), size("added", state["added"], 0)
        _check_keys("columns", state["columns"], FIELDS)
        columns = {name: _column(name, state["columns"][name]) for name in FIELDS}
    except TypeError as error:  # and of a ValueError the message is its own
        _refuse(str(error))
    if columns["next_obs"] != columns["obs"]:
        _refuse("obs and next_obs have two forms")
    if columns["terminated"] != FLAGS or columns["reward"].shape != () or not _is_floating(columns["reward"].dtype):
        _refuse("terminated is not one bool for each transition, or reward not one float")
    if state["arrays"] is None:
        if added:
            _refuse(f"{added} transitions were added, and there are no arrays")
        return columns, None
    _check_keys("arrays", state["arrays"], FIELDS)
    arrays = {name: to_numpy(state["arrays"][name]) for name in FIELDS}
    for name, array in arrays.items():
        _check_array(name, array, columns[name], min(added, capacity))
    return columns, arrays


def _is_floating(dtype: np.dtype[Any] | None) -> bool:
    return dtype is None or dtype.kind == "f"


def _column(name: str, saved: Any) -> Column:
    _check_keys(f"columns.{name}", saved, ("shape", "dtype", "rounds"))
    _check_flag(f"columns.{name}.rounds", saved["rounds"])
    return Column(shape_of("shape", saved["shape"]), dtype_of("dtype", saved["dtype"]), saved["rounds"])


def _check_array(name: str, array: Any, column: Column, rows: int) -> None:
    expected = (rows, *(column.shape or ())), column.dtype
    found = getattr(array, "shape", None), getattr(array, "dtype", None)
    if found != expected:
        _refuse(f"{name} must have shape {expected[0]} and dtype {expected[1]}, but has {found[0]} and {found[1]}")


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        _refuse(f"{name} must be True or False, but is {value!r:.80}")


def _check_keys(name: str, found: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(found, Mapping) or set(found) != set(keys):
        shown = sorted(map(str, found)) if isinstance(found, Mapping) else type(found).__name__
        _refuse(f"{name} must be a dict with {', '.join(keys)}, but is {shown!s:.200}")


def _refuse(fault: str) -> NoReturn:
    raise ValueError(
        f"expected what ReplayBuffer.state() returned, but {fault}; was it saved under another key, or changed since?"
    )

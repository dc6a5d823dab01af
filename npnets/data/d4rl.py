"""The keys of D4RL, in `.npz` and HDF5 files, and the columns of a recording from arrays by these keys.

Rewards and flags are `(n,)` or `(n, 1)`. One of `timeouts` and `next_observations` may be missing. Without the first,
an episode ends where the next row does not go on from a row's next observation; without the second, that is the
observation of the next row.
"""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.data.recording import NUMBERS, Arrays, flags_of_steps, rows_equal
from npnets.files.fault import Fault
from npnets.files.quoting import listed

NAMES = {
    "obs": "observations",
    "action": "actions",
    "reward": "rewards",
    "next_obs": "next_observations",
    "terminated": "terminals",
    "truncated": "timeouts",
}
_ALWAYS = ("observations", "actions", "rewards", "terminals")


def check_keys(found: Collection[str], needed: Iterable[str], where: str = "") -> None:
    """Check that a file, or a part of it, has all keys that are needed."""
    needed = list(needed)
    missing = [name for name in needed if name not in found]
    if missing:
        raise Fault(
            f"expected the keys {', '.join(needed)}{where}, but {', '.join(missing)} is missing; it has "
            f"{listed(sorted(found), most=12)}"
        )


def keys_in(found: Collection[str]) -> list[str]:
    """Return the keys of those found that are read, after a check that none is missing."""
    given = [key for key in NAMES.values() if key in found]
    check_keys(found, _ALWAYS)
    if "timeouts" not in given and "next_observations" not in given:
        raise Fault(
            "expected next_observations, or timeouts, by which the next rows are those of the same episode; it has "
            f"{listed(sorted(found), most=12)}"
        )
    return given


def columns_of(arrays: Arrays) -> Arrays:
    """Return the columns of a recording from arrays by D4RL's keys."""
    columns = {field: _without_last_axis(field, arrays[key]) for field, key in NAMES.items() if key in arrays}
    lengths = {key: column.shape[:1] for key, column in arrays.items()}
    if len(set(lengths.values())) > 1 or () in lengths.values():
        shapes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        raise Fault(f"expected one row for each step in every array, got lengths that differ: {shapes}")
    for name in ("terminated", "truncated"):
        if name in columns:
            columns[name] = flags_of_steps(NAMES[name], columns[name])
    if "next_obs" not in columns:
        return _with_next_rows(columns)
    if "truncated" not in columns:
        columns["truncated"] = _breaks(columns)
    return {name: columns[name] for name in NAMES}


def _without_last_axis(field: str, column: NDArray[Any]) -> NDArray[Any]:
    """Return rewards or flags `(n, 1)`, as some of D4RL's own files have them, as `(n,)`."""
    return column[:, 0] if field in NUMBERS and column.shape[1:] == (1,) else column


def _breaks(columns: Arrays) -> NDArray[np.bool_]:
    """Return where the next row does not go on from a row's next observation, except terminal states."""
    obs, next_obs = columns["obs"], columns["next_obs"]
    breaks = np.zeros(len(obs), np.bool_)
    if obs.shape == next_obs.shape and len(obs):  # or a later check finds it
        _check_one_dtype(obs.dtype, next_obs.dtype)
        breaks[:-1] = ~rows_equal(next_obs[:-1], obs[1:])
    return breaks & ~columns["terminated"]


def _check_one_dtype(obs: np.dtype[Any], next_obs: np.dtype[Any]) -> None:
    if obs != next_obs:
        raise Fault(
            "expected observations and next_observations of one dtype where there are no timeouts, because rows that "
            f"are equal tell where an episode goes on, got {obs} and {next_obs}; save both in one of them"
        )


def _with_next_rows(columns: Arrays) -> Arrays:
    """Return columns in which the next observations are those of the next rows, as far as there are any.

    The last step of an episode that timed out has none, and is left out: the recording then stops at the step before.
    """
    obs, terminal, last = columns["obs"], columns["terminated"], columns["truncated"]
    last[-1:] = True
    following = np.concatenate([obs[1:], obs[-1:]])
    following[terminal] = obs[terminal]
    kept = terminal | ~last
    stops = np.append(~kept[1:], False)[: len(kept)] & ~terminal
    columns = {**columns, "next_obs": following, "truncated": stops}
    return {name: columns[name][kept] for name in NAMES}

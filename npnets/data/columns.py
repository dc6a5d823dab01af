"""The columns of a replay buffer: the shape and dtype of a row in each, and the check of what is added to them.

Nothing is broadcast, and no number changes without the user's word: a dtype that was taken from the first batch takes
only what fits into it exactly; one that the user gave rounds numbers to its precision, if it is of floats.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npnets.data.arrays import flags, on_host, rows_not_finite
from npnets.description import size
from npnets.spaces import is_space

_KINDS, _LARGEST = "biuf", 8  # which a checkpoint can hold
_WIDE = np.dtype(np.float64)


class Column(NamedTuple):
    """The form of a column's rows; shape and dtype are `None` where the first batch decides."""

    shape: tuple[int, ...] | None
    dtype: np.dtype[Any] | None
    rounds: bool
    """Whether numbers are rounded to a dtype of floats, because the user gave it."""


FLAGS = Column((), np.dtype(np.bool_), False)
"""The form of the column `terminated`."""

Columns = dict[str, Column]
Arrays = dict[str, NDArray[Any]]


def shape_of(name: str, value: Any) -> tuple[int, ...] | None:
    """Return the shape that an argument gives to a row: an integer, a sequence of them, or a space of arrays."""
    if value is None:
        return None
    if is_space(value):
        if not isinstance(value.shape, tuple):
            raise TypeError(
                f"{name} must be a shape or a space of arrays, but is {value!r:.80}; make one array of its parts, with "
                "gymnasium.wrappers.FlattenObservation for example"
            )
        value = value.shape
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(size(f"{name}[{index}]", part) for index, part in enumerate(value))
    return (size(name, value),)


def dtype_of(name: str, value: DTypeLike | None, kinds: str = _KINDS) -> np.dtype[Any] | None:
    """Return the dtype that an argument gives to a column."""
    if value is None:
        return None
    dtype = np.dtype(value)
    if dtype.kind not in kinds or dtype.itemsize > _LARGEST or not dtype.isnative:
        raise TypeError(f"{name} must be a native dtype of numbers of at most 64 bits, but is {dtype!r}")
    return dtype


def completed(columns: Columns, batch: Arrays) -> Columns:
    """Return the columns with the shapes and dtypes of a first batch where they had none."""
    found = {}
    for name, column in columns.items():
        shape, dtype, rounds = column
        like = batch[name]
        shape = like.shape[1:] if shape is None else shape
        found[name] = Column(shape, _first_dtype(name, like.dtype) if dtype is None else dtype, rounds)
    return {**found, "next_obs": found["obs"]}


def _first_dtype(name: str, dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return the dtype of a column whose first rows have this one: rewards are floats, whatever the first ones are."""
    if name == "reward" and dtype.kind != "f":
        return _WIDE
    return dtype_of(f"the dtype of {name}", dtype.newbyteorder("="))


def batch_of(obs: Any, action: Any, reward: Any, next_obs: Any, terminated: Any) -> Arrays:
    """Return transitions as arrays `(n, ...)`; a single one, whose reward is a number, as a batch of one."""
    batch = {
        "obs": on_host("obs", obs),
        "action": on_host("action", action),
        "reward": on_host("reward", reward),
        "next_obs": on_host("next_obs", next_obs),
        "terminated": flags("terminated", terminated),
    }
    return batch if batch["reward"].ndim else {name: value[None] for name, value in batch.items()}


def converted(columns: Columns, batch: Arrays, check_finite: bool) -> Arrays:
    """Return a batch in the dtypes of complete columns.

    Raises
    ------
    TypeError, ValueError
        If a shape or dtype is not the column's, or a number is NaN or infinite and that is checked.
    """
    rows = batch["reward"].shape
    if len(rows) != 1:
        hint = "; pass reward[:, 0]" if rows[1:] == (1,) else ""
        raise ValueError(f"reward must be a number, or (n,) for n transitions, but has shape {rows}{hint}")
    for name, value in batch.items():
        if value.shape != (expected := rows + (columns[name].shape or ())):
            raise ValueError(
                f"{name} must have shape {expected} beside {rows[0]} rewards, but has {value.shape}; for a single "
                "transition the reward is a number, and all others are without the first axis"
            )
    with np.errstate(over="ignore"):  # the number is infinite then, and an error where that is checked
        found = {name: _cast(name, value, columns[name]) for name, value in batch.items()}
    if check_finite:
        for name, value in found.items():
            if value.dtype.kind == "f" and not _is_finite(value):
                raise ValueError(_not_finite(name, value, batch[name]))
    return found


def _cast(name: str, value: NDArray[Any], column: Column) -> NDArray[Any]:
    dtype: Any = column.dtype  # which is no longer `None`
    if value.dtype == dtype:
        return value
    among_integers = column.rounds and value.dtype.kind in "iu" and dtype.kind in "iu"
    if among_integers or np.can_cast(value.dtype, dtype, "same_kind" if column.rounds else "safe"):
        cast = value.astype(dtype)
        may_round = column.rounds or value.dtype.kind == "f"
        if (may_round and dtype.kind == "f") or _is_exact(value, cast):
            return cast
    raise TypeError(
        f"{name} has dtype {value.dtype}, and its column {dtype}, which cannot hold all numbers of that dtype; "
        f"{_remedy(name, value.dtype, dtype)}"
    )


def _remedy(name: str, found: np.dtype[Any], expected: np.dtype[Any]) -> str:
    """Return how numbers come into a column; a cast to integers would change them without an error."""
    argument = _argument(name)
    of_buffer = f"make the buffer with {argument}=numpy.{found.name}"
    if expected.kind != "f":
        return f"{of_buffer}, or another dtype for it"
    convert = f"convert it with numpy.asarray({name}, numpy.{expected})"
    fits = found.itemsize <= _LARGEST and (found.kind == "f" or argument != "reward_dtype")
    return f"{convert}, or {of_buffer}" if fits else convert


def _argument(name: str) -> str:
    """Return the argument of `ReplayBuffer` that gives a column's dtype."""
    return f"{name.removeprefix('next_')}_dtype"


def _is_exact(value: NDArray[Any], cast: NDArray[Any]) -> bool:
    """Return whether a cast of integers or booleans changed none of them."""
    if value.dtype.kind == "b":
        return True
    same_sign = (cast < 0) == (value < 0)
    if cast.dtype.kind == "f":  # one that is larger than every integer has no cast back that processors agree on
        same_sign &= cast < float(np.iinfo(value.dtype).max) + 1
    with np.errstate(invalid="ignore"):
        return bool((same_sign & (cast.astype(value.dtype) == value)).all())


def _is_finite(value: NDArray[Any]) -> bool:
    """Return whether all numbers are finite; to look for a byte takes half of the time of numpy.all for few numbers."""
    return 0 not in np.isfinite(value).tobytes()


def _not_finite(name: str, value: NDArray[Any], given: NDArray[Any]) -> str:
    rows = rows_not_finite(value)
    if given.dtype.kind != "f" or _is_finite(given):
        return (
            f"{name} has numbers that are too large for {value.dtype}, the first in row {rows[0]} of {len(value)}; "
            f"divide them by a constant, or make the buffer with {_argument(name)}=numpy.float64"
        )
    return (
        f"{name} must have finite numbers, but {len(rows)} of {len(value)} transitions have NaN or infinite ones as "
        f"{value.dtype}, the first in row {rows[0]}; find out which step of the environment gave them, or make the "
        "buffer with check_finite=False"
    )

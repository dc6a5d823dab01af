"""Reads recorded transitions into five float32 arrays.

Formats are ``.npz`` with the five keys, HDF5 in D4RL's layout (the same five keys), and HDF5 in Minari's layout (a
group for each episode). The content of a file decides its format. Every fault of a file raises a `ValueError` with the
file's name, the expected and the actual content.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
# Observations, actions, rewards, next observations, terminals, as in `Transitions`.
Batch = tuple[Array, Array, Array, Array, Array]

KEYS = ("observations", "actions", "rewards", "next_observations", "terminals")
RANKS = {"observations": 2, "actions": 2, "rewards": 1, "next_observations": 2, "terminals": 1}
MINARI_KEYS = ("observations", "actions", "rewards", "terminations")


@dataclass(frozen=True, eq=False)
class Transitions:
    """A batch of recorded transitions, or a whole data set of them.

    Attributes
    ----------
    observations, next_observations
        ``(n, obs_dim)`` float32: observations before and after the step.
    actions
        ``(n, act_dim)`` float32.
    rewards
        ``(n,)`` float32.
    terminals
        ``(n,)`` float32, 1 where the step ended in a terminal state, which a time limit is not.
    """

    observations: Array
    actions: Array
    rewards: Array
    next_observations: Array
    terminals: Array

    def __len__(self) -> int:
        """The number of transitions."""
        return len(self.rewards)

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw ``size`` transitions uniformly with replacement; five arrays, in the order of the class."""
        columns = (self.observations, self.actions, self.rewards, self.next_observations, self.terminals)
        return draw_batch(columns, len(self), rng, size)


def draw_batch(columns: Sequence[Array], rows: int, rng: np.random.Generator, size: int) -> Batch:
    """Draw ``size`` transitions uniformly with replacement from the first ``rows`` rows of five columns."""
    if size < 1:
        raise ValueError(f"expected a batch of at least one transition, got size={size}")
    drawn = rng.integers(rows, size=size)
    observations, actions, rewards, following, terminals = columns
    return (
        observations.take(drawn, 0),  # twice as fast as an index
        actions.take(drawn, 0),
        rewards.take(drawn),
        following.take(drawn, 0),
        terminals.take(drawn),
    )


def load(path: str | os.PathLike[str]) -> Transitions:
    """Read the transitions in a file.

    Parameters
    ----------
    path
        An ``.npz`` or an HDF5 file. Integers and booleans become float32; other keys are ignored.

    Returns
    -------
    Transitions
        At least one transition.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        Not a data file, a missing key, inconsistent lengths or ranks, NaN or infinite entries, or no entries.
    ModuleNotFoundError
        The file is HDF5 and h5py is not installed.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"expected a file of recorded transitions, but {path} {what}")
    arrays = _read(path)
    _check_shapes(path, arrays)
    return Transitions(**{key: _float32(path, key, arrays[key]) for key in KEYS})


def episode_returns(transitions: Transitions) -> NDArray[np.float64]:
    """Undiscounted return of each recorded episode, in the order of the recording.

    An episode ends at a terminal, where the next row does not continue from this row's next observation (a time limit,
    a new recording), and at the end of the data; the last episode may be incomplete.

    Returns
    -------
    numpy.ndarray
        Returns ``(episodes,)``, float64.
    """
    goes_on = (transitions.next_observations[:-1] == transitions.observations[1:]).all(axis=1)
    ends = (transitions.terminals[:-1] != 0) | ~goes_on
    starts = np.concatenate([[0], np.flatnonzero(ends) + 1])
    return np.add.reduceat(transitions.rewards.astype(np.float64), starts)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the five arrays of a file unchanged."""
    with path.open("rb") as file:
        start = file.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        return _read_hdf5(path)
    if zipfile.is_zipfile(path):
        return _read_npz(path)
    found = "an empty file" if not start else f"a file that starts with {start!r}"
    raise ValueError(
        f"{path}: expected an .npz or HDF5 file, got {found}; was the download or the writing interrupted?"
    )


# ValueError: an array of Python objects, which would have to be unpickled.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as file:  # opened here, because NumPy does not close a corrupt file
        try:
            archive = np.load(file, allow_pickle=False)
        except _UNREADABLE as error:
            raise ValueError(f"{path}: expected a readable .npz, got a corrupt one ({error})") from error
        _require(path, archive.files, KEYS)
        try:
            arrays = {key: archive[key] for key in KEYS}
        except _UNREADABLE as error:
            raise ValueError(f"{path}: expected a readable .npz of plain arrays, got: {error}") from error
    others = [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]
    if others:
        raise ValueError(f"{path}: expected arrays written by NumPy, but {others} are something else")
    return arrays


def _read_hdf5(path: Path) -> dict[str, NDArray[Any]]:
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{path} is an HDF5 file, and reading one needs h5py: pip install h5py", name="h5py"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            episodes = [name for name in file if name.startswith("episode_")]
            if episodes:
                return _read_minari(path, file, episodes)
            _require(path, list(file), KEYS)
            return {key: _dataset(path, file, key) for key in KEYS}
    except OSError as error:
        raise ValueError(f"{path}: expected a readable HDF5 file, got a corrupt one ({error})") from error


def _read_minari(path: Path, file: Mapping[str, Any], episodes: list[str]) -> dict[str, NDArray[Any]]:
    """Concatenate Minari's groups, whose ``observations`` have one row more than there are steps."""
    parts: dict[str, list[NDArray[Any]]] = {key: [] for key in KEYS}
    for name in sorted(episodes, key=lambda name: (len(name), name)):
        group = file[name]
        if not isinstance(group, Mapping):
            raise ValueError(f"{path}: expected a group of arrays in {name}, got something else")
        _require(path, list(group), MINARI_KEYS, where=f" in {name}")
        observations, actions, rewards, terminations = (_dataset(path, group, key) for key in MINARI_KEYS)
        if len(observations) != len(rewards) + 1:
            raise ValueError(
                f"{path}: expected one observation more than rewards in {name}, "
                f"got {len(observations)} observations and {len(rewards)} rewards"
            )
        columns = (observations[:-1], actions, rewards, observations[1:], terminations)
        for key, column in zip(KEYS, columns, strict=True):
            parts[key].append(column)
    return {key: _join(path, key, columns) for key, columns in parts.items()}


def _join(path: Path, key: str, columns: list[NDArray[Any]]) -> NDArray[Any]:
    widths = sorted({column.shape[1:] for column in columns})
    if len(widths) > 1:
        raise ValueError(f"{path}: expected {key} of one shape in every episode, got rows of shapes {widths}")
    return np.concatenate(columns)


def _dataset(path: Path, group: Mapping[str, Any], key: str) -> NDArray[Any]:
    """Return one array of an HDF5 file; a group instead of an array means dictionary or tuple observations."""
    if not hasattr(group[key], "shape"):
        raise ValueError(
            f"{path}: expected {key} to be one array, got a group of {sorted(group[key])}; flatten the space first"
        )
    return np.asarray(group[key])


def _require(path: Path, found: list[str], expected: tuple[str, ...], where: str = "") -> None:
    missing = [key for key in expected if key not in found]
    if missing:
        raise ValueError(
            f"{path}: expected the keys {', '.join(expected)}{where}, but {', '.join(missing)} is missing; "
            f"it has {', '.join(sorted(found)) or 'none'}"
        )


def _check_shapes(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    shapes = ", ".join(f"{key} {arrays[key].shape}" for key in KEYS)
    for key, rank in RANKS.items():
        if arrays[key].ndim != rank:
            axes = "(n, dim)" if rank == 2 else "(n,)"
            raise ValueError(
                f"{path}: expected {key} of shape {axes}, got {arrays[key].shape}; a missing or extra axis?"
            )
    if len({len(arrays[key]) for key in KEYS}) > 1:
        raise ValueError(f"{path}: expected one row per transition in every array, got lengths that disagree: {shapes}")
    if arrays["observations"].shape != arrays["next_observations"].shape:
        raise ValueError(f"{path}: expected observations and next_observations of one shape, got {shapes}")
    if not all(arrays[key].size for key in KEYS):
        raise ValueError(f"{path}: expected at least one transition, got {shapes}; was anything recorded?")


def _float32(path: Path, key: str, values: ArrayLike) -> Array:
    """Return ``values`` as float32 after checking that all are finite."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"{path}: expected numbers in {key}, got dtype {values.dtype}")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(values, np.float32)
    bad = ~np.isfinite(converted)
    if bad.any():
        first = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        raise ValueError(
            f"{path}: expected finite numbers in {key}, got {int(bad.sum())} NaN or infinite as float32, "
            f"the first in row {first}; drop those rows or record again"
        )
    return converted

"""Recordings in files: `.npz` and HDF5 with the keys of D4RL, and data sets of Minari. The content decides."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from npnets.data import d4rl
from npnets.data.hdf5 import read_hdf5
from npnets.data.minari_reading import MAIN
from npnets.data.recording import Arrays, Recording, recording_of
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain, printable

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK"


def load(path: str | os.PathLike[str], *, check_finite: bool = True) -> Recording:
    """Read recorded transitions from a file.

    Parameters
    ----------
    path : str or path
        An `.npz` or HDF5 file with the keys of D4RL, `observations`, `actions`, `rewards`, `next_observations`,
        `terminals` and `timeouts`; or a data set of Minari, its folder or its file `main_data.hdf5`. Other keys are
        ignored.
    check_finite : bool
        Whether NaN and infinite numbers are an error.

    Returns
    -------
    Recording
        In the dtypes of the file; flags as booleans, integer rewards as float64.

    Raises
    ------
    ValueError
        If it is no such file, a key is missing, shapes do not fit together, or there are no steps. The message begins
        with the path.
    FileNotFoundError
        If there is no such file.
    ImportError
        If the file is HDF5 and h5py is not installed: `pip install 'npnets[hdf5]'`.

    Notes
    -----
    Without `timeouts` an episode ends where the next row does not go on from a row's next observation. Without
    `next_observations` those are the observations of the next rows: the last step of an episode that timed out has
    none and is left out, and that of a terminal state, which nothing uses, is the observation itself.

    Nothing in a file is unpickled, but NumPy and h5py decompress what is in it: load files that you trust. Observations
    that are dicts or tuples, and images that Minari stores as JPEG, are not read.
    """
    found = _file(Path(path))
    try:
        columns, names = _read(found)
        return recording_of(columns, check_finite, names)
    except Fault as fault:
        raise ValueError(f"{printable(str(found))}: {fault}") from None


def _file(path: Path) -> Path:
    """Return a file's path, or that of the file in a data set's folder."""
    if path.is_dir():
        inside = [one for one in (path / "data" / MAIN, path / MAIN) if one.is_file()]
        if not inside:
            raise FileNotFoundError(
                f"expected a file of recorded transitions or a data set of Minari, but the folder {path} has no "
                f"data/{MAIN}; Minari's other format, Arrow, is not read"
            )
        return inside[0]
    if not path.exists():
        raise FileNotFoundError(f"expected a file of recorded transitions, but {path} does not exist")
    return path


def _read(path: Path) -> tuple[Arrays, Mapping[str, str]]:
    with path.open("rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        return read_hdf5(path)
    if start.startswith(_ZIP):
        return d4rl.columns_of(_read_npz(path)), d4rl.NAMES
    shown = f"begins with {start!r}" if start else "is empty"
    raise Fault(f"expected an .npz or HDF5 file, but it {shown}; was a download or the writing interrupted?")


def _read_npz(path: Path) -> Arrays:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: np.asarray(archive[key]) for key in d4rl.keys_in(archive.files)}
    except (Fault, MemoryError):
        raise
    except Exception as error:  # of any class: zipfile and NumPy raise several for damaged files
        raise Fault(f"expected a readable .npz of plain arrays, but {plain(error)}; {DAMAGED}") from error

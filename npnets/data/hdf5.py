"""HDF5 files of recorded transitions, in D4RL's layout and in Minari's, read by h5py."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.data import d4rl, minari_reading
from npnets.data.recording import Arrays
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain, quoted


def import_h5py() -> ModuleType:
    """Import h5py, or say how it is installed."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "HDF5 files, those of D4RL and Minari among them, need the package h5py: pip install 'npnets[hdf5]'",
            name="h5py",
        ) from error
    module: ModuleType = h5py
    return module


def read_hdf5(path: Path) -> tuple[Arrays, Mapping[str, str]]:
    """Return the columns of a recording in a file, and their names there."""
    h5py = import_h5py()
    try:
        with h5py.File(path, "r") as file:
            episodes = [name for name in file if minari_reading.EPISODE_NAME.fullmatch(name)]
            if not episodes:
                keys = d4rl.keys_in(list(file))
                return d4rl.columns_of({key: array_of(file, key) for key in keys}), d4rl.NAMES
            return minari_reading.columns_of(path, file, episodes, array_of), minari_reading.NAMES
    except (Fault, MemoryError):
        raise
    except Exception as error:  # of any class: h5py raises OSError, RuntimeError and KeyError for damaged files
        raise Fault(f"expected a readable HDF5 file, but {plain(error)}; {DAMAGED}") from error


def array_of(group: Any, key: str, where: str = "") -> NDArray[Any]:
    """Return one array; a group in its place means dict or tuple observations."""
    if not hasattr(group[key], "shape"):
        raise Fault(
            f"expected {key} to be one array{where}, got a group of {quoted(sorted(group[key]))}; make one array of "
            "the parts of the space first"
        )
    return np.asarray(group[key])

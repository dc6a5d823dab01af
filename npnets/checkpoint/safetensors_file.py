"""Checkpoints as `.safetensors`, which many other libraries read: arrays, and a manifest as metadata.

Needs the package `safetensors`, which is imported once such a file is saved or loaded.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.endings import why_unreadable
from npnets.checkpoint.faults import NO_MANIFEST, Fault

MANIFEST = "npnets.checkpoint"  # the only entry: several would be written in another order each time


def check_library() -> None:
    """Check that the package is installed.

    Raises
    ------
    ImportError
        If it is not.
    """
    try:
        import safetensors.numpy  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "a .safetensors file needs the package safetensors: pip install 'npnets[safetensors]'; a .npz file needs "
            "nothing"
        ) from error


def write(file: BinaryIO, manifest: str, arrays: dict[str, Array]) -> None:
    """Write a manifest, and arrays in C order, to an open file."""
    from safetensors.numpy import save

    file.write(save(arrays, {MANIFEST: manifest}))


def read(path: str, understand: Callable[[str], Any]) -> tuple[Any, dict[str, Array]]:
    """Return what is understood of a file's manifest, and then the file's arrays by name.

    Raises
    ------
    Fault
        If it is no whole file of this kind.
    """
    from safetensors import safe_open

    with open(path, "rb"):  # a file that is not there, or may not be read, raises what it always raises
        pass
    try:
        with safe_open(path, framework="np") as file:
            notes = file.metadata() or {}
            if MANIFEST not in notes:
                raise Fault(f"{NO_MANIFEST}; was it written by another library? safetensors.numpy.load_file reads it")
            return understand(notes[MANIFEST]), {name: np.array(file.get_tensor(name)) for name in file.keys()}
    except (Fault, MemoryError):
        raise
    except Exception as error:  # whatever the package raises for files that are damaged
        raise Fault(why_unreadable(path, ".safetensors", error)) from error

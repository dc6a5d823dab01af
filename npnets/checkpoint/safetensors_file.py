"""Checkpoints as `.safetensors`, which many other libraries read: arrays, and a manifest as metadata.

Needs the package `safetensors`, which is imported once such a file is saved or loaded.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.manifest import NO_MANIFEST
from npnets.checkpoint.sniff import why_unreadable
from npnets.files.fault import Fault

MANIFEST = "npnets.checkpoint"  # the only entry: several would be written in another order each time


def check_library() -> None:
    """Check that the package is installed, and raise an `ImportError` with the remedy if it is not."""
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


def read(path: str, parse: Callable[[str | bytes], dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return a file's manifest, parsed before anything else is read, and its arrays by name.

    Raises
    ------
    Fault
        If it is not a whole file of this format.
    """
    from safetensors import safe_open

    with open(path, "rb"):  # raises the usual error if the file is missing or may not be read
        pass
    try:
        with safe_open(path, framework="np") as file:
            notes = file.metadata() or {}
            if MANIFEST not in notes:
                raise Fault(f"{NO_MANIFEST}; was it written by another library? safetensors.numpy.load_file reads it")
            return parse(notes[MANIFEST]), {name: np.array(file.get_tensor(name)) for name in file.keys()}
    except (Fault, MemoryError):
        raise
    except Exception as error:  # of any class: the package raises several for damaged files
        raise Fault(why_unreadable(path, ".safetensors", error)) from error

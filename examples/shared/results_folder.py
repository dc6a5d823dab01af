"""The output folder of a run; files are written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import npnets
from npnets import checkpoint
from npnets.backend import to_numpy


def prepare_folder(folder: Path) -> None:
    """Create a folder, and check that it is writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"{folder} is a file, or is below one; choose another folder with --out") from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} is not writable; choose another folder with --out")


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a temporary file and rename it, so that the path never has an incomplete file."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        save(unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"wrote {path}")


def save_parameters(path: Path, params: Any) -> None:
    """Write every parameter to an `.npz`, by its path, such as `critic_1.last.linear_0.weight`."""
    names, leaves = npnets.tree.paths(params), npnets.tree.leaves(params)
    arrays = {name: to_numpy(leaf) for name, leaf in zip(names, leaves, strict=True)}
    write(path, lambda unfinished: np.savez(unfinished, **arrays))


def save_policy(path: Path, params: Any, network: Any) -> None:
    """Write a network's parameters and the network itself, for `npnets.checkpoint.load`."""
    write(path, lambda unfinished: checkpoint.save(unfinished, params, {"network": network}))

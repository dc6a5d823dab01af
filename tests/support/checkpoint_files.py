"""Shared by the tests of checkpoints: both formats, files changed by hand, and trees compared to the bit."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npnets import checkpoint
from npnets.checkpoint import npz, safetensors_file

CONTAINERS: dict[str, Any] = {".npz": npz, ".safetensors": safetensors_file}
each_ending = pytest.mark.parametrize("ending", CONTAINERS)
on_posix = pytest.mark.skipif(os.name != "posix", reason="permissions, links, locks and folders as files are POSIX's")
OLD, NEW = ({"w": np.full(3, value), "deep": {"b": [value]}} for value in (1.0, 2.0))


def through_a_file(folder: Path, ending: str, params: Any, metadata: Any = None, **options: Any) -> Any:
    """Return the result of `load` after `save`."""
    checkpoint.save(folder / f"file{ending}", params, metadata)
    return checkpoint.load(folder / f"file{ending}", **options)


def same(one: Any, two: Any) -> bool:
    """Return whether two values have equal types and bits throughout, and dicts in the same order."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, (np.ndarray, np.generic)):
        return (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())
    return bool(one == two and str(one) == str(two)) or (one != one and two != two)


def changed(path: Path, change: Callable[[Any, dict[str, Any]], None]) -> None:
    """Write a checkpoint again with another manifest and other arrays, and with correct checksums of the container."""
    container = CONTAINERS[path.suffix]
    manifest, arrays = container.read(str(path), lambda text: json.loads(text))
    change(manifest, arrays)
    file = io.BytesIO()
    container.write(file, manifest if isinstance(manifest, str) else json.dumps(manifest), arrays)
    path.write_bytes(file.getvalue())


def refusal(path: Path, **options: Any) -> str:
    """Return the error of `load` for an invalid file, one line that begins with the path."""
    with pytest.raises(checkpoint.CheckpointError) as caught:
        checkpoint.load(path, **options)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text, text
    return text.removeprefix(f"{path}: ")


def holds(path: Path, *trees: Any) -> bool:
    """Return whether a file contains one of some trees completely, and is alone in its folder."""
    found = checkpoint.load(path)
    return any(same(found.params, tree) for tree in trees) and os.listdir(path.parent) == [path.name]

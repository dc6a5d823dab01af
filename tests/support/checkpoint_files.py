"""What the tests of checkpoints share: both formats, files changed by hand, and trees compared to the bit."""

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
    """Return what `load` makes of what `save` wrote."""
    checkpoint.save(folder / f"file{ending}", params, metadata)
    return checkpoint.load(folder / f"file{ending}", **options)


def same(one: Any, two: Any) -> bool:
    """Whether two values are of the same types all through, and the same bit for bit; dicts in the same order too."""
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
    """Write a checkpoint again after its manifest and its arrays were changed, all checksums of the container right."""
    container = CONTAINERS[path.suffix]
    manifest, arrays = container.read(str(path), lambda text: json.loads(text))
    change(manifest, arrays)
    file = io.BytesIO()
    container.write(file, manifest if isinstance(manifest, str) else json.dumps(manifest), arrays)
    path.write_bytes(file.getvalue())


def refusal(path: Path, **options: Any) -> str:
    """Return what `load` says of a file that it refuses, in one line that begins with the path."""
    with pytest.raises(checkpoint.CheckpointError) as caught:
        checkpoint.load(path, **options)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text, text
    return text.removeprefix(f"{path}: ")


def holds(path: Path, *trees: Any) -> bool:
    """Whether one of some trees is in a file, whole, and nothing else is in the file's folder."""
    found = checkpoint.load(path)
    return any(same(found.params, tree) for tree in trees) and os.listdir(path.parent) == [path.name]

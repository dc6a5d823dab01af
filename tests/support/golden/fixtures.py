"""The format of the fixture files: a description in JSON, whose arrays are parts of one float32 vector.

Shared by `make_golden.py`, which writes them, and by the tests, which read them. A small array costs no more than its
numbers this way; as an entry of its own in a zip file it would cost some hundred bytes.
"""

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent


def save(name: str, content: dict[str, Any]) -> None:
    """Write nested dicts and lists, with float32 arrays anywhere in them, to `<name>.npz`."""
    parts: list[Any] = []

    def put(array: Any) -> dict[str, Any]:
        if getattr(array, "dtype", None) != np.float32:
            raise TypeError(f"expected a float32 array, but got {array!r:.80}")
        start = sum(part.size for part in parts)
        parts.append(array.ravel())
        return {"start": start, "shape": list(array.shape)}

    text = json.dumps(content, default=put)
    np.savez_compressed(FOLDER / f"{name}.npz", content=np.array(text), numbers=np.concatenate(parts))


@functools.cache
def load(name: str) -> dict[str, Any]:
    """Read a file of `save`; later calls return the same arrays, which must not be changed."""
    with np.load(FOLDER / f"{name}.npz") as file:
        text, numbers = str(file["content"]), file["numbers"]

    def take(part: dict[str, Any]) -> Any:
        if part.keys() != {"start", "shape"}:
            return part
        size = math.prod(part["shape"])
        return numbers[part["start"] : part["start"] + size].reshape(part["shape"])

    return json.loads(text, object_hook=take)  # type: ignore[no-any-return]


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Return a flat dict from paths such as `"last.linear_0.weight"` as nested dicts."""
    tree: dict[str, Any] = {}
    for path, leaf in flat.items():
        *parents, name = path.split(".")
        part = tree
        for parent in parents:
            part = part.setdefault(parent, {})
        part[name] = leaf
    return tree

"""Files of `torch.save` made by hand from arrays, for the tests of policies whose files are variants of real ones."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from torch_archives import integer, storage, tensor, text, value

KINDS = {"float32": "torch.FloatStorage", "float64": "torch.DoubleStorage", "int64": "torch.LongStorage"}


def torch_bytes(contents: Any) -> bytes:
    """The bytes that `torch.save` would write for dicts, lists and tuples of arrays and plain values."""
    storages: list[bytes] = []
    program = b"\x80\x02" + _instructions(contents, storages) + b"."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        for index, data in enumerate(storages):
            archive.writestr(f"archive/data/{index}", data)
    return file.getvalue()


def _instructions(x: Any, storages: list[bytes]) -> bytes:
    if isinstance(x, dict):
        return b"}(" + b"".join(_key(key) + _instructions(part, storages) for key, part in x.items()) + b"u"
    if isinstance(x, (list, tuple)):
        parts = b"".join(_instructions(part, storages) for part in x)
        return b"(" + parts + b"t" if isinstance(x, tuple) else b"](" + parts + b"e"
    if not isinstance(x, np.ndarray):
        return value(x)
    array = np.ascontiguousarray(x).reshape(x.shape)
    storages.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
    strides = tuple(stride // array.itemsize for stride in array.strides)
    source = storage(KINDS[array.dtype.name], str(len(storages) - 1), array.size)
    return tensor(source, 0, array.shape, strides)


def _key(key: Any) -> bytes:
    return integer(key) if isinstance(key, int) else text(key)

"""Shared by the tests of PyTorch's files: archives and pickles made by hand, traps, and values compared to the bit."""

from __future__ import annotations

import json
import pickle
import pickletools
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npnets.interop import Foreign, torch_file

FIXTURES = Path(__file__).parent / "golden" / "torch_files"
RELEASES = sorted(folder.name for folder in FIXTURES.iterdir())
NEWEST = FIXTURES / "2.13.0"


def same(one: Any, two: Any) -> bool:
    """Return whether two values have equal types, order and bits throughout."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())
    return bool(one == two)


def expected(release: str) -> dict[str, Any]:
    """Return the contents of the files of a release, as PyTorch loaded them."""
    contents = json.loads((FIXTURES / release / "expected.json").read_text(encoding="utf-8"))
    return {name: _from_json(content) for name, content in contents.items()}


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {key: _from_json(part) for key, part in value["dict"]}
    if "tuple" in value:
        return tuple(_from_json(part) for part in value["tuple"])
    array = np.frombuffer(bytes.fromhex(value["hex"]), value["tensor"]).reshape(value["shape"])
    return array.astype(np.float32) if value["tensor"] == "float16" else array


# -- archives --------------------------------------------------------------------------------------------------------


def records_of(path: Path) -> dict[str, bytes]:
    """The records of an archive, by their names within its folder."""
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def write_archive(path: Path, records: dict[str, bytes]) -> Path:
    """Write records in the layout of `torch.save`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in records.items():
            archive.writestr(f"archive/{name}", data)
    return path


def write_pickle(path: Path, program: bytes, **storages: bytes) -> Path:
    """Write an archive with a pickle, and storages `s0`, `s1`, ..."""
    return write_archive(path, {"data.pkl": program, **{f"data/{key}": data for key, data in storages.items()}})


# -- pickles ---------------------------------------------------------------------------------------------------------


def value(x: Any) -> bytes:
    """The instructions that put a plain value on the stack."""
    return pickletools.optimize(pickle.dumps(x, 2))[2:-1]


def text(x: str) -> bytes:
    """The instruction that puts text on the stack, and nothing into the memo."""
    return b"X" + struct.pack("<I", len(x.encode())) + x.encode()


def name(path: str) -> bytes:
    """The instruction that puts a name on the stack."""
    module, _, attribute = path.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def called(path: str, *arguments: bytes) -> bytes:
    """The instructions that call a name."""
    return name(path) + b"(" + b"".join(arguments) + b"tR"


def integer(x: int) -> bytes:
    """The instruction that puts an integer of any size on the stack."""
    data = x.to_bytes(x.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def integers(xs: tuple[int, ...]) -> bytes:
    """The instructions that put a tuple of integers on the stack."""
    return b"(" + b"".join(map(integer, xs)) + b"t"


def storage(kind: str = "torch.FloatStorage", key: str = "s0", count: int = 6) -> bytes:
    """The instructions that put a storage on the stack."""
    return b"(" + text("storage") + name(kind) + text(key) + text("cpu") + integer(count) + b"tQ"


def tensor(
    source: bytes | None = None, offset: int = 0, shape: tuple[int, ...] = (2, 3), strides: tuple[int, ...] = (3, 1)
) -> bytes:
    """The instructions that put a tensor on the stack."""
    hooks = called("collections.OrderedDict")
    parts = (source or storage(), integer(offset), integers(shape), integers(strides), b"\x89", hooks)
    return called("torch._utils._rebuild_tensor_v2", *parts)


def tensor_v3(dtype: bytes) -> bytes:
    """The instructions that put a tensor of a dtype on the stack that has no storage of its own."""
    source = storage("torch.storage.UntypedStorage", count=24)
    parts = (source, integer(0), integers((2, 3)), integers((3, 1)), b"\x89", called("collections.OrderedDict"), dtype)
    return called("torch._utils._rebuild_tensor_v3", *parts)


def program(**entries: bytes) -> bytes:
    """A pickle of a dict."""
    return b"\x80\x02}(" + b"".join(text(key) + part for key, part in entries.items()) + b"u."


SIX = np.arange(6, dtype="<f4").tobytes()
"""A storage that `tensor` fits."""


# -- traps, which must not run ----------------------------------------------------------------------------------------

RUN: list[Any] = []
"""The calls of the functions below, which must stay empty."""


def spring(*arguments: Any) -> None:
    """A function that a pickle must not call."""
    RUN.append(arguments)


class Trap:
    """A class that a pickle must not make an instance of, or give a state to."""

    def __new__(cls, *arguments: Any) -> Trap:
        RUN.append(arguments)
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        RUN.append(state)

    def __reduce__(self) -> Any:
        return spring, ("reduced",)


# -- loading ---------------------------------------------------------------------------------------------------------

LITTLE_MEMORY = 20 * 2**20


def load(path: Path) -> Any:
    """Load a file within little memory: none of its code may run, and the error must be one short line."""
    RUN.clear()
    try:
        return torch_file.load(path, most_bytes=2**20)
    except ValueError as error:
        assert str(error).startswith(f"{path} cannot be read: ") and "\n" not in str(error)
        assert len(str(error)) < 600 + len(str(path))
        raise
    finally:
        assert RUN == []


def harmless(value: Any) -> bool:
    """Return whether a value consists of plain values, arrays and stand-ins."""
    if isinstance(value, dict):
        return all(type(key) in (str, int) and harmless(part) for key, part in value.items())
    if isinstance(value, Foreign):
        return all(map(harmless, (value.name, value.state, value.arguments, value.items)))
    if type(value) in (list, tuple, set, frozenset):
        return all(map(harmless, value))
    plain = (type(None), bool, int, float, complex, str, bytes)
    return type(value) in plain or isinstance(value, (np.ndarray, np.generic, np.dtype))


def refused(folder: Path, pickled: bytes, words: str) -> None:
    """Check that loading a pickle is an error with these words, within little memory."""
    path = write_pickle(folder / "x.pt", pickled, s0=SIX)
    tracemalloc.start()
    with pytest.raises(ValueError, match=words):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LITTLE_MEMORY


def cases(named: dict[str, tuple[bytes, str]]) -> Any:
    """Run a test for each pickle, with the words of its error."""
    return pytest.mark.parametrize(("pickled", "words"), named.values(), ids=named)

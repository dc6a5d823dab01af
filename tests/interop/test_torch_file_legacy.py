"""Files of `torch.save` from before PyTorch 1.6, whole or as the storages of a plain pickle, are read or refused."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_archives import (
    NEWEST,
    SIX,
    called,
    harmless,
    integer,
    load,
    name,
    program,
    same,
    storage,
    tensor,
    text,
)

from npnets.interop import Foreign, pickle_file, torch_file
from npnets.interop.torch.legacy import MAGIC

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}
REAL = (NEWEST / "legacy.pt").read_bytes()


def legacy(
    content: bytes,
    keys: Any = ("s0",),
    data: bytes = struct.pack("<q", 6) + SIX,
    machine: Any = MACHINE,
    version: Any = 1001,
) -> bytes:
    """A file with a pickle and storages."""
    parts = [pickle.dumps(part, 2) for part in (version, machine)]
    return MAGIC + b"".join(parts) + content + pickle.dumps(list(keys) if isinstance(keys, tuple) else keys, 2) + data


def _written(folder: Path, file: bytes) -> Path:
    path = folder / "x.pt"
    path.write_bytes(file)
    return path


def test_a_file_that_pytorch_wrote_is_read() -> None:
    assert same(torch_file.load(NEWEST / "legacy.pt"), {"weight": np.ones((2, 2), np.float32)})
    assert same(torch_file.load(REAL), {"weight": np.ones((2, 2), np.float32)})


def test_views_of_one_storage_are_read(tmp_path: Path) -> None:
    pickled = program(x=tensor(), y=tensor(shape=(2,), strides=(3,), offset=1))
    loaded = load(_written(tmp_path, legacy(pickled)))
    assert loaded["x"].tolist() == [[0, 1, 2], [3, 4, 5]] and loaded["y"].tolist() == [1, 4]


def test_a_file_of_the_other_byte_order_is_read_as_the_same_numbers(tmp_path: Path) -> None:
    data = struct.pack("<q", 6) + np.arange(6, dtype=">f4").tobytes()
    loaded = load(
        _written(tmp_path, legacy(program(x=tensor()), data=data, machine={**MACHINE, "little_endian": False}))
    )
    assert loaded["x"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_whole_module_is_a_stand_in_if_the_caller_wants_it(tmp_path: Path) -> None:
    kind = b"(" + text("module") + name("mine.Policy") + text("policy.py") + text("class Policy: ...") + b"tQ"
    path = _written(tmp_path, legacy(program(x=kind + b")\x81}" + text("weight") + tensor() + b"sb")))
    kept = torch_file.load(path, foreign="keep")["x"]
    assert kept.name == "mine.Policy" and kept.state["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert torch_file.load(path, foreign="omit") == {}
    with pytest.raises(ValueError, match="it uses 'mine.Policy', which belongs to no tensor"):
        torch_file.load(path)


def test_a_storage_of_a_class_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    path = _written(tmp_path, legacy(program(x=storage("torch.QInt8Storage"))))
    with pytest.raises(ValueError, match="a storage of 'torch.QInt8Storage', whose size in files of its kind is not k"):
        torch_file.load(path, foreign="keep")


def test_a_storage_may_be_described_as_no_view_of_another(tmp_path: Path) -> None:
    source = storage()[:-2] + b"NtQ"
    assert load(_written(tmp_path, legacy(program(x=tensor(source)))))["x"].shape == (2, 3)
    view = storage()[:-2] + text("view") + integer(0) + integer(2) + b"\x87tQ"
    with pytest.raises(ValueError, match="a storage in an unknown form"):
        load(_written(tmp_path, legacy(program(x=tensor(view)))))


TWO = program(x=tensor(), y=tensor(storage("torch.DoubleStorage")))
LONG = tensor(storage(count=2**40), 0, (1,), (1,))
NEGATIVE = tensor(storage(count=-6), 0, (0,), (1,))


@pytest.mark.parametrize(
    ("file", "words"),
    {
        "nothing more": (MAGIC, "breaks off"),
        "another version": (legacy(program(), version=1), "does not go on so"),
        "no machine": (legacy(program(), machine=[1]), "does not go on so"),
        "no byte order": (legacy(program(), machine={}), "does not go on so"),
        "a function as the version": (MAGIC + b"\x80\x02" + called("os.system", text("x")) + b".", "uses 'os.system'"),
        "a function as the machine": (legacy(b"")[:21] + called("os.system", text("x")), "uses 'os.system'"),
        "a function as the value": (legacy(program(x=called("torch_archives.spring"))), "uses 'torch_archives.spring'"),
        "a function as the keys": (legacy(program(x=tensor()))[:-39] + called("os.system"), "uses 'os.system'|damaged"),
        "no keys": (legacy(program(x=tensor()), keys=()), "does not name those that its tensors have"),
        "keys that are no list": (legacy(program(x=tensor()), keys="s0"), "does not name those"),
        "keys that are no text": (legacy(program(x=tensor()), keys=(0,)), "does not name those"),
        "a key twice": (legacy(program(x=tensor()), keys=("s0", "s0")), "does not name those"),
        "another key": (legacy(program(x=tensor()), keys=("s1",)), "does not name those"),
        "no data": (legacy(program(x=tensor()), data=b""), "'s0' is not whole"),
        "little data": (legacy(program(x=tensor()), data=struct.pack("<q", 6) + SIX[:-1]), "'s0' is not whole"),
        "another count": (legacy(program(x=tensor()), data=struct.pack("<q", 7) + SIX + bytes(4)), "'s0' is not whole"),
        "a negative count": (legacy(program(x=NEGATIVE), data=struct.pack("<q", -6) + SIX), "'s0' is not whole"),
        "a huge count": (legacy(program(x=LONG), data=struct.pack("<q", 2**40) + SIX), "'s0' is not whole"),
        "more data": (legacy(program(x=tensor())) + b"x", "1 bytes behind its last storage"),
        "one storage of two dtypes": (legacy(TWO), "'s0' has two dtypes or sizes"),
    }.values(),
)
def test_a_damaged_file_is_refused(file: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        load(_written(tmp_path, file))


@pytest.mark.slow
def test_a_file_cut_off_or_changed_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    for end in range(0, len(REAL), 3):
        with pytest.raises(ValueError):
            load(_written(tmp_path, REAL[:end]))
    for at in range(0, len(REAL), 2):
        for changed in (0, ord("."), 0xFF):
            try:
                assert harmless(load(_written(tmp_path, REAL[:at] + bytes([changed]) + REAL[at + 1 :])))
            except ValueError:
                pass


# -- storages in plain pickles ---------------------------------------------------------------------------------------

FILE = legacy(b"\x80\x02" + storage() + b".")


def _embedded(file: bytes, rebuild: Callable[[bytes], bytes] = lambda source: tensor(source)) -> bytes:
    content = b"B" + struct.pack("<I", len(file)) + file
    return b"\x80\x02" + rebuild(called("torch.storage._load_from_bytes", content)) + b"."


def test_a_storage_in_a_plain_pickle_is_a_file_within() -> None:
    assert pickle_file.load(_embedded(FILE)).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("pickled", "words"),
    {
        "no file": (_embedded(b"text"), "a storage in an unknown form"),
        "a dict": (_embedded(legacy(program(x=tensor()))), "a tensor without a storage"),
        "a function": (_embedded(legacy(b"\x80\x02" + called("os.system", text("x")) + b".")), "uses 'os.system'"),
        "a file in a file": (
            _embedded(legacy(_embedded(FILE))),
            "uses 'torch.storage._load_from_bytes'",
        ),
        "a number": (
            _embedded(FILE, lambda source: called("torch.storage._load_from_bytes", integer(1))),
            "with arguments",
        ),
        "a tensor outside": (_embedded(FILE, lambda source: tensor(source, offset=1)), "reaches outside its storage"),
        "a huge tensor": (_embedded(FILE, lambda source: tensor(source, shape=(2**50,), strides=(0,))), "most_bytes"),
        "a storage alone": (_embedded(FILE, lambda source: source), "at the top it holds a storage, which is neither"),
    }.values(),
)
def test_a_damaged_storage_in_a_plain_pickle_is_refused(pickled: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pickle_file.load(pickled)


def test_a_storage_that_many_tensors_view_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from npnets.interop.torch import arrays

    opened: list[int] = []
    read = arrays.legacy.read
    monkeypatch.setattr(arrays.legacy, "read", lambda *given: opened.append(1) or read(*given))
    source = called("torch.storage._load_from_bytes", b"B" + struct.pack("<I", len(FILE)) + FILE + b"q\x00")
    again = called("torch.storage._load_from_bytes", b"h\x00")
    pickled = b"\x80\x02](" + tensor(source) + tensor(again) * 50 + b"e."
    assert len(pickle_file.load(pickled)) == 51 and opened == [1]


def test_a_storage_that_a_pickle_keeps_alone_is_a_stand_in() -> None:
    assert pickle_file.load(_embedded(FILE, lambda source: source), foreign="keep") == Foreign("torch.Storage")

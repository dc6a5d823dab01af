"""A checkpoint with false sizes is refused in little memory, and nothing in it is unpickled."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import refusal

from npnets import checkpoint
from npnets.files.fault import Fault
from npnets.files.zip_guards import check_stored

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

MEMORY = 10_000_000


def _saved(folder: Path, ending: str) -> Path:
    path = folder / f"pi{ending}"
    checkpoint.save(path, {"w": np.zeros((2, 2), np.float32)}, {"steps": 20})
    return path


def _refused_in_little_memory(path: Path) -> str:
    tracemalloc.start()
    try:
        text = refusal(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    return text


def _with_w(path: Path, member: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """Pack a file again with other bytes as the array `w`, all checksums right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | {"w.npy": member}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.slow
def test_a_compressed_npz_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    path = _saved(tmp_path, ".npz")
    _with_w(path, bytes(20 * MEMORY), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < MEMORY
    assert "is compressed, and npnets.checkpoint.save compresses nothing" in _refused_in_little_memory(path)


def test_members_that_claim_to_be_longer_than_the_file_are_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, ".npz")
    whole = path.read_bytes()
    at = whole.index(b"PK\x01\x02") + 20
    huge, true = b"\xf0\xff\xff\x7f", whole[at + 4 : at + 8]
    for sizes, words in ((huge * 2, "overlap"), (huge + true, "is compressed")):
        path.write_bytes(whole[:at] + sizes + whole[at + 8 :])
        assert words in _refused_in_little_memory(path)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pi.npz"
    checkpoint.save(path, {"w": np.zeros(500_000)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.filelist += [archive.getinfo("w.npy")] * 1000
        archive.writestr("last", b"")
    assert "its record 'w.npy' overlaps its record 'w.npy'" in _refused_in_little_memory(path)


def test_a_member_before_the_beginning_of_the_file_is_refused_by_its_name() -> None:
    entry = zipfile.ZipInfo("w.npy")
    entry.header_offset, entry.compress_size = -1, 0
    with pytest.raises(Fault, match="its record 'w.npy' overlaps the beginning of the file; "):
        check_stored([entry], 100, "npnets.checkpoint.save")


def test_an_array_that_claims_to_be_larger_than_its_bytes_is_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, ".npz")
    with zipfile.ZipFile(path) as archive:
        member = archive.read("w.npy")
    lie = member.replace(b"(2, 2)", b"(2, 999999999)").replace(b" " * 8 + b"\n", b"\n")
    _with_w(path, lie)
    assert "cannot be read" in _refused_in_little_memory(path)


def test_a_safetensors_file_that_claims_to_be_larger_than_it_is_is_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, ".safetensors")
    whole = path.read_bytes()
    for lie in (
        (2**60).to_bytes(8, "little") + whole[8:],
        whole.replace(b'"shape":[2,2]', b'"shape":[9,9]'),
        whole.replace(b'"data_offsets":[0,16]', b'"data_offsets":[0,96]'),
    ):
        assert lie != whole
        path.write_bytes(lie)
        assert "cannot be read" in _refused_in_little_memory(path)


def test_nothing_in_an_npz_is_unpickled(tmp_path: Path) -> None:
    path = _saved(tmp_path, ".npz")
    pickled = io.BytesIO()
    np.save(pickled, np.array([print], object))
    _with_w(path, pickled.getvalue())
    assert "with a header as numpy.save writes it" in refusal(path)

"""An archive of PyTorch's that is damaged or malicious is refused: cut off, changed anywhere, or a zip bomb."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_archives import NEWEST, SIX, program, records_of, same, storage, tensor, write_archive, write_pickle

from npnets.interop import torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

GOOD = {"data.pkl": program(x=tensor()), "data/s0": SIX}


def _refused(path: Path, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        torch_file.load(path)
    assert str(caught.value).startswith(f"{path} cannot be read: ") and "\n" not in str(caught.value)


def _read_or_refused(path: Path, expected: Any) -> bool:
    """Whether a file is refused; if it is read, it must have the expected content."""
    try:
        assert same(torch_file.load(path), expected)
        return False
    except ValueError as error:
        assert str(error).startswith(f"{path} cannot be read: ") and "\n" not in str(error)
        return True


def _changed(path: Path, change: Callable[[list[zipfile.ZipInfo]], None]) -> Path:
    """Write a good archive after a change of the directory at its end."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in GOOD.items():
            archive.writestr(f"archive/{name}", data)
        change(archive.filelist)
    return path


# -- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = (NEWEST / "gpu.pt").read_bytes()
    for end in range(len(whole)):
        (tmp_path / "cut.pt").write_bytes(whole[:end])
        _refused(tmp_path / "cut.pt", "damaged|cut off|does not begin|reaches past the end")


@pytest.mark.slow
def test_a_file_with_any_byte_changed_is_refused_or_holds_the_same(tmp_path: Path) -> None:
    whole = (NEWEST / "gpu.pt").read_bytes()
    expected = torch_file.load(NEWEST / "gpu.pt")
    refused = 0
    for at in range(len(whole)):
        for bits in (0x01, 0xFF):
            (tmp_path / "x.pt").write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
            refused += _read_or_refused(tmp_path / "x.pt", expected)
    assert refused > 1000  # what is left are times, padding and the like


def test_a_file_with_parts_replaced_at_random_is_refused_or_holds_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = (NEWEST / "gpu.pt").read_bytes()
    expected = torch_file.load(NEWEST / "gpu.pt")
    for _ in range(700):
        start, length = int(rng.integers(4, len(whole))), int(rng.integers(1, 40))
        part = rng.bytes(length) if rng.random() < 0.5 else bytes([int(rng.choice([0, 255]))]) * length
        kept = whole[start + (length if rng.random() < 0.8 else 0) :]
        (tmp_path / "x.pt").write_bytes(whole[:start] + part + kept)
        _read_or_refused(tmp_path / "x.pt", expected)


def test_numbers_that_do_not_have_their_checksum_are_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "x.pt", GOOD)
    path.write_bytes(path.read_bytes().replace(SIX, SIX[::-1]))
    _refused(path, r"its zip archive is damaged, .*Bad CRC-32 for file 'archive/data/s0'")


def test_a_record_that_no_tensor_uses_is_checked_too(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "x.pt", {**GOOD, "byteorder.": b"not the order"})
    assert "x" in torch_file.load(path)
    path.write_bytes(path.read_bytes().replace(b"not the order", b"nor the order"))
    _refused(path, "Bad CRC-32")


def test_an_unknown_byte_order_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "x.pt", {**GOOD, "byteorder": b"middle" * 100})
    _refused(path, "its record 'byteorder' is b'middlemiddlemiddlemi'; expected 'little' or 'big'")


# -- archives that mislead -------------------------------------------------------------------------------------------


def test_a_compressed_record_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("archive/data.pkl", GOOD["data.pkl"])
        archive.writestr("archive/data/s0", bytes(50 * 2**20), zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    _refused(tmp_path / "x.pt", "its record 'archive/data/s0' is compressed, and torch.save compresses nothing")
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()


def _put_at_the_first(entries: list[zipfile.ZipInfo]) -> None:
    entries[1].header_offset = entries[0].header_offset


def _reach_into_the_second(entries: list[zipfile.ZipInfo]) -> None:
    entries[0].file_size = entries[0].compress_size = entries[1].header_offset


def _lengthen(entries: list[zipfile.ZipInfo]) -> None:
    entries[1].file_size = entries[1].compress_size = 2**40


def _say_it_is_smaller(entries: list[zipfile.ZipInfo]) -> None:
    entries[1].compress_size = 2


def _encrypt(entries: list[zipfile.ZipInfo]) -> None:
    entries[1].flag_bits |= 1


@pytest.mark.parametrize(
    ("change", "words"),
    {
        "two records in one place": (_put_at_the_first, "'archive/data/s0' overlaps its record 'archive/data.pkl'"),
        "a record around another": (_reach_into_the_second, "its record .* overlaps its record .*"),
        "a record of a terabyte": (_lengthen, "'archive/data/s0' reaches past the end of the file, of .* bytes"),
        "two sizes": (_say_it_is_smaller, "'archive/data/s0' is compressed"),
        "encrypted": (_encrypt, "'archive/data/s0' is encrypted"),
    }.values(),
)
def test_a_malicious_directory_is_refused(change: Any, words: str, tmp_path: Path) -> None:
    assert "x" in torch_file.load(_changed(tmp_path / "x.pt", lambda entries: None))
    _refused(_changed(tmp_path / "x.pt", change), words)


def test_one_record_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for name, data in [*GOOD.items(), ("data/s0", SIX[::-1])]:
            archive.writestr(f"archive/{name}", data)
    _refused(tmp_path / "x.pt", "it has the record 'data/s0' twice")


def test_records_in_two_folders_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("one/data.pkl", GOOD["data.pkl"])
        archive.writestr("two/data/s0", SIX)
    _refused(tmp_path / "x.pt", "are in several folders, 'one', 'two'; torch.save uses one")


def test_a_long_name_of_a_record_is_cut_off_in_the_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("archive/" + "x" * 60_000, b"")
    with pytest.raises(ValueError) as caught:
        torch_file.load(tmp_path / "x.pt")
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_storages_of_real_files_are_compared_with_the_pickle(tmp_path: Path) -> None:
    records = records_of(NEWEST / "dtypes.pt")
    stored = [name for name in records if name.startswith("data/")]
    assert len(stored) >= 15
    for name in stored:
        for data in (records[name] + bytes(16), records[name][:-16], b""):
            write_archive(tmp_path / "x.pt", {**records, name: data})
            _refused(tmp_path / "x.pt", f"the record '{name}' has {len(data)} bytes, where")


def test_a_storage_may_end_within_a_number(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "x.pt", program(x=tensor(storage(count=6))), s0=SIX + b"\1\2\3")
    np.testing.assert_array_equal(torch_file.load(path)["x"], [[0, 1, 2], [3, 4, 5]])

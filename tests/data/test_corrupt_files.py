"""The error for a corrupt or foreign data file is one clear line that names the file."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from npnets.data import load

KEYS = ("observations", "actions", "rewards", "next_observations", "terminals")

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")


def _write(path: Path) -> bytes:
    n = 5
    arrays = {key: np.zeros((n, 2) if key in ("observations", "actions", "next_observations") else n) for key in KEYS}
    np.savez(path, **arrays)
    return path.read_bytes()


def _assert_one_clear_line(path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mark", [b"PK\x01\x02", b"PK\x03\x04", b"\x93NUMPY"])
def test_an_npz_with_a_broken_mark_is_refused(mark: bytes, tmp_path: Path) -> None:
    whole = _write(tmp_path / "data.npz")
    at = whole.rindex(mark)
    (tmp_path / "data.npz").write_bytes(whole[:at] + b"XXXX" + whole[at + 4 :])
    _assert_one_clear_line(tmp_path / "data.npz")


def test_an_npz_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = _write(tmp_path / "data.npz")
    for end in range(0, len(whole), 97):
        (tmp_path / "cut.npz").write_bytes(whole[:end])
        _assert_one_clear_line(tmp_path / "cut.npz")


def test_a_zip_whose_members_are_no_arrays_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        for key in KEYS:
            archive.writestr(key, "text")
    _assert_one_clear_line(tmp_path / "data.npz")


def test_an_hdf5_file_whose_episode_is_an_array_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["episode_0"] = np.zeros(3)
    _assert_one_clear_line(tmp_path / "data.h5")

"""A file is replaced at its path with the right permissions: folders, links and long names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from checkpoint_files import NEW, OLD, each_ending, holds, on_posix

from npnets import checkpoint

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")


@on_posix
@each_ending
def test_a_new_file_has_ordinary_permissions_and_a_replaced_one_those_of_the_old(ending: str, tmp_path: Path) -> None:
    path, ordinary = tmp_path / f"pi{ending}", tmp_path / "ordinary"
    ordinary.touch()
    checkpoint.save(path, OLD)
    assert path.stat().st_mode == ordinary.stat().st_mode
    for mode in (0o600, 0o666):
        path.chmod(mode)
        checkpoint.save(path, NEW)
        assert stat.S_IMODE(path.stat().st_mode) == mode


@on_posix
def test_the_target_of_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    for folder in ("real", "links"):
        (tmp_path / folder).mkdir()
    target, link = tmp_path / "real" / "pi.npz", tmp_path / "links" / "latest.npz"
    link.symlink_to("../real/pi.npz")
    for params in (OLD, NEW):  # the first to where nothing is yet
        checkpoint.save(link, params)
        assert link.is_symlink() and holds(target, params) and holds(link, params)


def test_a_missing_folder_and_a_folder_at_the_path_are_errors_that_name_it(tmp_path: Path) -> None:
    (tmp_path / "pi.npz").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*runs.*os\.makedirs"):
        checkpoint.save(tmp_path / "runs" / "pi.npz", NEW)
    with pytest.raises(FileExistsError, match=r"pi\.npz: expected a file or nothing there"):
        checkpoint.save(tmp_path / "pi.npz", NEW)
    assert os.listdir(tmp_path) == ["pi.npz"]


def test_a_path_without_a_folder_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint.save("pi.npz", NEW)
    assert holds(tmp_path / "pi.npz", NEW)


def test_the_longest_name_that_a_folder_takes_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 125 + ".npz")
    checkpoint.save(path, NEW)
    assert holds(path, NEW)

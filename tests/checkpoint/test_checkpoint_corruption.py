"""A corrupt or foreign checkpoint is one clear line that names the file, or is loaded as what was saved."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import CONTAINERS, changed, each_ending, refusal, same

import npnets
from npnets import checkpoint
from npnets.checkpoint import npz

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

PARAMS: dict[str, Any] = {
    "w": np.array([[1.5, -0.0], [np.nan, 2.0]], np.float32),
    "n": [np.array(3, np.int16), {}],
    "step": 4,
}
METADATA = {"network": npnets.Linear(2, 2), "steps": 20}


def _saved(folder: Path, ending: str) -> Path:
    path = folder / f"pi{ending}"
    checkpoint.save(path, PARAMS, METADATA)
    return path


def _is_right(found: checkpoint.Checkpoint) -> bool:
    return same(found.params, PARAMS) and found.metadata == METADATA


def _loaded(path: Path) -> bool:
    """Whether a file could be loaded, which then held what was saved; else its refusal was clear."""
    try:
        found = checkpoint.load(path)
    except checkpoint.CheckpointError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error), error
        return False
    assert _is_right(found)
    return True


# -- chance -----------------------------------------------------------------------------------------------------------


@each_ending
def test_a_file_cut_off_at_any_byte_is_refused(ending: str, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert "probably cut off" in refusal(path)
    path.write_bytes(whole)
    assert _loaded(path)


@pytest.mark.slow
@each_ending
@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_a_flipped_byte_is_refused_or_changes_nothing(ending: str, mask: int, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)
    whole = path.read_bytes()
    harmless = []
    for index, byte in enumerate(whole):
        path.write_bytes(whole[:index] + bytes([byte ^ mask]) + whole[index + 1 :])
        harmless += [index] * _loaded(path)
    # Beside what counts lie times and attributes of a zip file, which mean nothing here, and which npnets is needed.
    for part in (_content_of(whole), _bytes_of(PARAMS["w"]), _bytes_of(PARAMS["n"][0])):
        start = whole.index(part)
        assert not set(harmless) & set(range(start, start + len(part)))
    assert len(harmless) < len(whole) * 0.2


def _content_of(whole: bytes) -> bytes:
    start = whole.index(b"content") + len("content")
    return whole[start : whole.index(b"steps", start) + 9]


def _bytes_of(array: Any) -> bytes:
    return array.tobytes()  # type: ignore[no-any-return]


@each_ending
def test_an_array_that_was_changed_together_with_its_checksum_is_refused(ending: str, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)

    def scale(manifest: Any, arrays: Any) -> None:
        arrays["w"] = arrays["w"] * np.float32(1.0001)

    changed(path, scale)
    assert "its digest is not that of its content" in refusal(path)


@each_ending
def test_metadata_that_was_changed_is_refused(ending: str, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)
    changed(path, lambda manifest, arrays: manifest["content"]["metadata"].update(steps=21))
    assert "its digest is not that of its content" in refusal(path)


@each_ending
def test_bytes_before_or_after_a_file_are_refused_or_change_nothing(ending: str, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)
    whole = path.read_bytes()
    for content in (whole + b"\0" * 100, b"\0" * 100 + whole, whole + whole, whole + b"PK\x05\x06" + b"\0" * 18):
        path.write_bytes(content)
        _loaded(path)


# -- wrong trees ------------------------------------------------------------------------------------------------------


def _without_w(manifest: Any, arrays: Any) -> None:
    del arrays["w"]


def _with_another(manifest: Any, arrays: Any) -> None:
    arrays["v"] = np.zeros(1)


def _of_another_shape(manifest: Any, arrays: Any) -> None:
    arrays["w"] = arrays["w"].reshape(1, 4)


def _of_another_dtype(manifest: Any, arrays: Any) -> None:
    arrays["w"] = arrays["w"].view(np.int32)


def _of_a_huge_shape(manifest: Any, arrays: Any) -> None:
    manifest["content"]["arrays"]["w"]["shape"] = [2**40, 2**40]


@each_ending
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_w, "it lacks 'w' and has nothing besides"),
        (_with_another, "it lacks nothing and has 'v' besides"),
        (_of_another_shape, "expected 'w' as float32 (2, 2), but it is float32 (1, 4)"),
        (_of_another_dtype, "expected 'w' as float32 (2, 2), but it is int32 (2, 2)"),
        (_of_a_huge_shape, "expected 'w' as float32 (1099511627776, 1099511627776)"),
    ],
)
def test_a_tree_and_arrays_that_differ_are_refused_with_their_names(
    change: Callable[[Any, Any], None], words: str, ending: str, tmp_path: Path
) -> None:
    path = _saved(tmp_path, ending)
    changed(path, change)
    assert words in refusal(path)


@each_ending
@pytest.mark.parametrize("part", ["content", "digest", "arrays", "params", "metadata"])
def test_a_manifest_that_lacks_a_part_is_refused(part: str, ending: str, tmp_path: Path) -> None:
    path = _saved(tmp_path, ending)
    changed(path, lambda manifest, arrays: (manifest if part in manifest else manifest["content"]).pop(part))
    refusal(path)


# -- other versions, other files --------------------------------------------------------------------------------------


@each_ending
@pytest.mark.parametrize(
    ("head", "words"),
    [
        (
            {"version": 2, "needs": "0.7.0"},
            "has version 2, and this npnets knows those up to 1; upgrade to npnets 0.7.0",
        ),
        ({"version": 0}, "expected a version from 1 to 1, but it has 0"),
        ({"version": "1"}, "but it has '1'"),
        ({"version": True}, "but it has True"),
        ({"version": None}, "but it has None"),
        ({"format": "another"}, "expected a manifest of the format 'npnets.checkpoint'"),
    ],
)
def test_the_error_for_another_version_names_the_npnets_that_reads_it(
    head: Any, words: str, ending: str, tmp_path: Path
) -> None:
    path = _saved(tmp_path, ending)
    changed(path, lambda manifest, arrays: manifest.update(head))
    assert words in refusal(path)


def test_a_newer_version_is_refused_before_its_arrays_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pi.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(npz.MANIFEST, json.dumps({"format": "npnets.checkpoint", "version": 2, "needs": "1.0"}))
        archive.writestr("w.of-another-form", b"text")
    assert "upgrade to npnets 1.0 or newer" in refusal(path)


@each_ending
@pytest.mark.parametrize("text", ['{"a"', "[]", "[" * 100_000, '"' + "x" * 50 + '"', '{"version": 1}'])
def test_a_manifest_that_is_not_one_is_refused(text: str, ending: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    CONTAINERS[ending].write(file, text, {})
    (tmp_path / f"pi{ending}").write_bytes(file.getvalue())
    assert "probably cut off" in refusal(tmp_path / f"pi{ending}")


@each_ending
def test_a_file_of_the_other_format_or_of_none_is_refused(ending: str, tmp_path: Path) -> None:
    other = next(one for one in CONTAINERS if one != ending)
    whole = _saved(tmp_path, other).read_bytes()
    for content in (whole, b"", b"\x80\x04K\x01.", b"text\n", np.random.default_rng(0).bytes(5000)):
        (tmp_path / f"pi{ending}").write_bytes(content)
        assert f"expected a whole {ending} file" in refusal(tmp_path / f"pi{ending}")


@each_ending
def test_a_folder_raises_what_open_raises(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"pi{ending}").mkdir()
    with pytest.raises(OSError, match=f"pi{ending}"):
        checkpoint.load(tmp_path / f"pi{ending}")

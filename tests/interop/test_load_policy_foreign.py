"""A damaged or foreign file of any kind is an error of one line that names the file, in little time and memory."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from state_dict_files import torch_bytes
from torch_archives import RUN, Trap

from npnets.interop import load_policy, pickle_file, torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

GOLDEN = Path(__file__).parents[1] / "support" / "golden"
REAL = {
    "d3rlpy": GOLDEN / "d3rlpy" / "2.8.1" / "bc_min_max.d3",
    "CleanRL": GOLDEN / "cleanrl" / "td3_continuous_action.cleanrl_model",
    "Tianshou": GOLDEN / "tianshou_policies" / "1.0.0" / "ddpg.pth",
}
CONTENT = {name: path.read_bytes() for name, path in REAL.items()}
LITTLE_MEMORY = 20 * 2**20


def refused(path: Path, library: str = "") -> str:
    """Load a file that is refused, or acts all the same; return the error, of one line and within little memory."""
    RUN.clear()
    tracemalloc.start()
    try:
        load_policy(path, action_space=(-1.0, 1.0) if library == "Tianshou" else None).act(np.zeros(3, np.float32))
        return ""
    except ValueError as error:
        assert str(error).startswith(f"{path} cannot be read: ")
        assert str(error).isprintable() and len(str(error)) < 1200
        return str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < LITTLE_MEMORY and RUN == []


def test_the_files_are_read_as_they_are() -> None:
    assert [refused(path, library) for library, path in REAL.items()] == [""] * len(REAL)


@pytest.mark.slow
@pytest.mark.parametrize("library", REAL)
@settings(max_examples=60)
@given(data=st.data())
def test_bytes_that_changed_are_refused_or_change_numbers_alone(tmp_path_factory: Any, library: str, data: Any) -> None:
    content = bytearray(CONTENT[library])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "policy.d3"
    path.write_bytes(content)
    refused(path, library)


@pytest.mark.parametrize("library", REAL)
@settings(max_examples=30)
@given(part=st.floats(0, 1))
@example(part=0.0)
def test_a_file_that_was_cut_off_is_refused(tmp_path_factory: Any, library: str, part: float) -> None:
    content = CONTENT[library]
    path = tmp_path_factory.mktemp("cut") / "policy.d3"
    path.write_bytes(content[: int(part * (len(content) - 1))])
    assert refused(path, library)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def arrays(*save: Any) -> bytes:
    """What one of NumPy's functions writes."""
    file = io.BytesIO()
    save[0](file, *save[1:])
    return file.getvalue()


def tensors_of(**entries: Any) -> bytes:
    """A file of `torch.save`."""
    return torch_bytes(entries)


ONES = np.ones((2, 2), np.float32)
HEADER = json.dumps({"actor.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
WHAT_IS_READ = "policies are read from"
FOREIGN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", WHAT_IS_READ),
    "a byte": (b"P", WHAT_IS_READ),
    "text": (b"hello\x1b[31m world\n", WHAT_IS_READ),
    "JSON": (b'{"policy": 1}', WHAT_IS_READ),
    "a web page": (b"<!DOCTYPE html><html>404", "it is a web page, perhaps that of a login or of an error"),
    "a pointer of Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n",
        "git lfs pull fetches it",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), WHAT_IS_READ),
    "ONNX": (b"\x08\x08\x12\x07pytorch" + bytes(30), WHAT_IS_READ),
    "safetensors": (struct.pack("<Q", len(HEADER)) + HEADER + bytes(16), WHAT_IS_READ),
    "gzip": (b"\x1f\x8b\x08" + bytes(40), WHAT_IS_READ),
    "an array of NumPy": (arrays(np.save, ONES), WHAT_IS_READ),
    "arrays of NumPy": (arrays(np.savez, ONES), WHAT_IS_READ),
    "an archive of Keras": (zipped({"config.json": b"{}", "model.weights.h5": b"\x89HDF"}), WHAT_IS_READ),
    "an empty archive": (zipped({}), WHAT_IS_READ),
    "an archive with odd names": (zipped({"../../etc/passwd": b"x", "a\x1b[31m\n": b"y"}), WHAT_IS_READ),
    "a pickle of a number": (pickle.dumps(5), WHAT_IS_READ),
    "a pickle of a list": (pickle.dumps([1, "a"]), WHAT_IS_READ),
    "a pickle of RLlib": (pickle.dumps({"worker": b"\x80\x04}.", "counters": {}}), WHAT_IS_READ),
    "a pickle that would run code": (pickle.dumps(Trap()), WHAT_IS_READ),
    "a pickle that would run code, of protocol 0": (b"cos\nsystem\n(S'true'\ntR.", WHAT_IS_READ),
    "a policy of rl_games": (tensors_of(model={"a2c_network.mu.weight": ONES}, epoch=1), WHAT_IS_READ),
    "a policy of skrl": (tensors_of(policy={"net.0.weight": ONES}, optimizer={}), WHAT_IS_READ),
    "a policy of rsl_rl": (tensors_of(model_state_dict={"actor.0.weight": ONES}, iter=1), WHAT_IS_READ),
    "a policy of Spinning Up": (tensors_of(**{"pi.net.0.weight": ONES, "q1.q.0.weight": ONES}), WHAT_IS_READ),
    "a tensor": (torch_bytes(ONES), WHAT_IS_READ),
    "an empty dict": (torch_bytes({}), WHAT_IS_READ),
    "a torch file that expands": (zipped({"x/data.pkl": bytes(10**7)}, zipfile.ZIP_DEFLATED), "compressed"),
    "an archive that expands": (zipped({"policy.pth": bytes(10**7)}, zipfile.ZIP_DEFLATED), ""),
    "a script of torch.jit": (zipped({"x/data.pkl": b"\x80\x02}.", "x/constants.pkl": b"", "x/code/a.py": b""}), "jit"),
    "code for the weights": (pickle.dumps({"torch": Trap(), "config": "{}", "version": "2.8.1"}), ""),
    "code for the configuration": (pickle.dumps({"torch": b"", "config": Trap(), "version": "2.8.1"}), ""),
    "code for the release": (pickle.dumps({"torch": b"", "config": "{}", "version": Trap()}), "d3rlpy"),
}


@pytest.mark.parametrize(("content", "words"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_policy_is_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "policy.zip"
    path.write_bytes(content)
    error = refused(path)
    assert error and words in error


def test_a_folder_a_missing_file_and_other_arguments_are_errors_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing.zip"):
        load_policy(tmp_path / "missing.zip")
    with pytest.raises((IsADirectoryError, PermissionError), match="folder|directory|denied"):
        load_policy(tmp_path)
    for other in (None, 5, b"policy.zip", ["policy.zip"]):
        wrong: Any = other
        with pytest.raises(TypeError, match="expected a path of a file"):
            load_policy(wrong)


# -- state dicts that do not fit --------------------------------------------------------------------------------------


def contents_of(library: str) -> tuple[Any, dict[str, Any]]:
    """What a real file holds, and the state dict of its actor in it."""
    if library != "d3rlpy":
        contents = torch_file.load(REAL[library])
        return contents, contents[0] if library == "CleanRL" else contents
    contents = pickle_file.load(REAL[library])
    states = torch_file.load(contents["torch"])
    return {**contents, "torch": states}, states["imitator"]


def write_contents(path: Path, contents: Any) -> None:
    """Write what a file holds, as its library does."""
    if isinstance(contents, dict) and "torch" in contents:
        path.write_bytes(pickle.dumps({**contents, "torch": torch_bytes(contents["torch"])}))
    else:
        path.write_bytes(torch_bytes(contents))


ARRAYS = st.builds(
    lambda shape, dtype, value: np.full(shape, value, dtype),
    st.lists(st.integers(0, 6), max_size=3).map(tuple),
    st.sampled_from(["float32", "float64", "int64"]),
    st.sampled_from([0, 1, -1]),
)
VALUES = ARRAYS | st.none() | st.integers() | st.text(max_size=3) | st.just({}) | st.just([])


@pytest.mark.slow
@pytest.mark.parametrize("library", REAL)
@settings(max_examples=40)
@given(data=st.data())
def test_a_state_dict_of_other_arrays_is_refused_or_acts(tmp_path_factory: Any, library: str, data: Any) -> None:
    contents, state = contents_of(library)
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(sorted(state)))
        value = state.pop(name)
        match data.draw(st.sampled_from(["other", "renamed", "transposed", "left out"])):
            case "other":
                state[name] = data.draw(VALUES)
            case "renamed":
                state[data.draw(st.text(max_size=5)) + name] = value
            case "transposed" if isinstance(value, np.ndarray):
                state[name] = value.T
    path = tmp_path_factory.mktemp("changed") / "policy.pt"
    write_contents(path, contents)
    refused(path, library)

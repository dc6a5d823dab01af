"""Files that real releases of PyTorch wrote are read bit for bit without PyTorch; anything else is an error that names
it."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_archives import (
    FIXTURES,
    NEWEST,
    RELEASES,
    SIX,
    called,
    expected,
    name,
    program,
    same,
    storage,
    tensor,
    tensor_v3,
    value,
    write_archive,
    write_pickle,
)

from npnets.interop import torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

EXPECTED = {release: expected(release) for release in RELEASES}
EVERY_HALF = np.arange(2**16, dtype="<u2").tobytes()


def _count_arrays(x: Any) -> int:
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ()
    return isinstance(x, np.ndarray) + sum(map(_count_arrays, parts))


# -- what is read ----------------------------------------------------------------------------------------------------


def test_the_fixtures_are_of_several_releases() -> None:
    assert RELEASES == ["1.12.1", "1.6.0", "2.13.0"]
    assert all({"state_dict", "dtypes", "views", "checkpoint", "gpu"} == set(found) for found in EXPECTED.values())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("content", ["state_dict", "dtypes", "views", "checkpoint", "gpu"])
def test_a_file_is_read_as_pytorch_reads_it_bit_for_bit(release: str, content: str) -> None:
    loaded = torch_file.load(FIXTURES / release / f"{content}.pt")
    assert same(loaded, EXPECTED[release][content])
    assert _count_arrays(loaded) >= (1 if content == "gpu" else 7)


def test_a_path_may_be_a_string() -> None:
    assert same(torch_file.load(str(NEWEST / "gpu.pt")), EXPECTED["2.13.0"]["gpu"])


def test_the_contents_of_a_file_may_be_given_as_bytes() -> None:
    assert same(torch_file.load((NEWEST / "gpu.pt").read_bytes()), EXPECTED["2.13.0"]["gpu"])
    with pytest.raises(ValueError, match="^the file cannot be read: it does not begin as the zip archives"):
        torch_file.load(b"text")


@pytest.mark.parametrize(
    ("content", "expected"),
    {
        "bare_tensor": np.ones((2, 2), np.float32),
        "legacy": {"weight": np.ones((2, 2), np.float32)},
        "numpy": {"values": np.ones((2, 2), np.float32)},
        "protocol_4": {"weight": np.ones((2, 2), np.float32)},
        "set": {"values": {1}},
    }.items(),
)
def test_other_plain_contents_are_read_too(content: str, expected: Any) -> None:
    assert same(torch_file.load(NEWEST / f"{content}.pt"), expected)


def test_each_array_is_contiguous_and_can_be_changed_without_changing_another() -> None:
    loaded = torch_file.load(NEWEST / "views.pt")
    for array in loaded.values():
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned and array.dtype.isnative
    for changed in loaded:
        fresh = torch_file.load(NEWEST / "views.pt")
        fresh[changed][...] = 77
        assert same({**fresh, changed: loaded[changed]}, loaded)


def test_float16_becomes_float32_or_is_kept_by_an_option(tmp_path: Path) -> None:
    source = storage("torch.HalfStorage", count=2**16)
    path = write_pickle(tmp_path / "x.pt", program(x=tensor(source, 0, (2**16,), (1,))), s0=EVERY_HALF)
    kept, widened = torch_file.load(path, half="keep")["x"], torch_file.load(path)["x"]
    assert (kept.dtype, widened.dtype) == (np.float16, np.float32)
    assert kept.tobytes() == EVERY_HALF
    np.testing.assert_array_equal(widened, kept.astype(np.float32))


def test_bfloat16_becomes_the_float32_with_the_same_upper_half(tmp_path: Path) -> None:
    widened = torch_file.load(_every_bfloat16(tmp_path))["x"]
    assert widened.dtype == np.float32
    assert widened.tobytes() == b"".join(b"\0\0" + EVERY_HALF[at : at + 2] for at in range(0, 2**17, 2))


def test_bfloat16_is_kept_by_an_option_where_ml_dtypes_is_installed(tmp_path: Path) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    kept = torch_file.load(_every_bfloat16(tmp_path), half="keep")["x"]
    assert kept.dtype == bfloat16
    assert kept.tobytes() == EVERY_HALF


def test_the_error_for_keeping_bfloat16_without_ml_dtypes_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r"pip install 'npnets\[bfloat16\]'\), or .*half='float32'"):
        torch_file.load(_every_bfloat16(tmp_path), half="keep")


def _every_bfloat16(folder: Path) -> Path:
    source = storage("torch.BFloat16Storage", count=2**16)
    return write_pickle(folder / "x.pt", program(x=tensor(source, 0, (2**16,), (1,))), s0=EVERY_HALF)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [("Float", "f4"), ("Double", "f8"), ("Long", "i8"), ("ComplexFloat", "c8"), ("Half", "f2"), ("BFloat16", "u2")],
)
def test_a_file_of_the_other_byte_order_is_read_as_the_same_numbers(kind: str, stored: str, tmp_path: Path) -> None:
    numbers = np.arange(6).astype(stored) + 300
    pickled = program(x=tensor(storage(f"torch.{kind}Storage")))
    for order, mark in (("little", "<"), ("big", ">")):
        data = numbers.astype(mark + stored).tobytes()
        records = {"data.pkl": pickled, "byteorder": order.encode(), "data/s0": data}
        write_archive(tmp_path / f"{order}.pt", records)
    little, big = (torch_file.load(tmp_path / f"{order}.pt") for order in ("little", "big"))
    assert same(little, big)
    assert little["x"].dtype.isnative and little["x"].any()


def test_a_tensor_may_have_a_dtype_that_no_storage_has(tmp_path: Path) -> None:
    data = np.arange(6, dtype="<u4").tobytes()
    path = write_pickle(tmp_path / "x.pt", program(x=tensor_v3(name("torch.uint32"))), s0=data)
    assert same(torch_file.load(path)["x"], np.arange(6, dtype=np.uint32).reshape(2, 3))


def test_a_file_that_names_no_byte_order_is_little_endian(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "x.pt", program(x=tensor()), s0=SIX)
    np.testing.assert_array_equal(torch_file.load(path)["x"], [[0, 1, 2], [3, 4, 5]])


def test_an_archive_with_64_bit_sizes_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        for key, data in {"data.pkl": program(x=tensor()), "data/s0": SIX}.items():
            with archive.open(f"any name/{key}", "w", force_zip64=True) as record:
                record.write(data)
    np.testing.assert_array_equal(torch_file.load(tmp_path / "x.pt")["x"], [[0, 1, 2], [3, 4, 5]])


def test_any_view_of_a_storage_is_that_of_its_offset_shape_and_strides(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal(60).astype("<f4")
    for _ in range(100):
        shape = tuple(rng.integers(0, 4, rng.integers(0, 4)).tolist())
        strides = tuple(rng.integers(0, 6, len(shape)).tolist())
        offset = int(rng.integers(0, 15))
        source = tensor(storage(count=60), offset, shape, strides)
        path = write_pickle(tmp_path / "x.pt", program(x=source), s0=numbers.tobytes())
        expected = np.empty(shape, np.float32)
        for index in np.ndindex(*shape):
            expected[index] = numbers[offset + sum(i * stride for i, stride in zip(index, strides, strict=True))]
        assert same(torch_file.load(path)["x"], expected)


def test_the_memory_of_all_arrays_is_limited_by_an_option(tmp_path: Path) -> None:
    source = tensor(shape=(1000, 6), strides=(0, 1))
    path = write_pickle(tmp_path / "x.pt", program(x=source, y=source), s0=SIX)
    assert torch_file.load(path, most_bytes=2 * (24_000 + 200))["y"].shape == (1000, 6)
    with pytest.raises(ValueError, match=r"more than 48399 bytes .* from 'y' of shape \(1000, 6\) on; .*larger"):
        torch_file.load(path, most_bytes=2 * (24_000 + 200) - 1)


def test_by_default_arrays_may_take_64_mib_and_8_times_the_file(tmp_path: Path) -> None:
    large = bytes(4 * 2**20)
    pickled = {n: program(x=tensor(storage(count=2**20), 0, (n, 2**20), (0, 1))) for n in (23, 25)}
    assert torch_file.load(write_pickle(tmp_path / "x.pt", pickled[23], s0=large))["x"].nbytes == 23 * 4 * 2**20
    with pytest.raises(ValueError, match="pass a larger most_bytes"):
        torch_file.load(write_pickle(tmp_path / "x.pt", pickled[25], s0=large))


def test_neither_pytorch_nor_a_zip_library_is_imported_with_the_module() -> None:
    names = ("torch", "zipfile", "ml_dtypes")
    code = f"import sys, npnets.interop.torch_file; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


# -- what is not read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    {
        "conjugate": r"save tensor.resolve_conj\(\)",
        "dtype": "uses 'torch.float32', .* dtypes as values are not read",
        "float8": "uses 'torch.float8_e4m3fn', .* float8",
        "module": "uses 'torch.nn.modules.container.Sequential', .* Save module.state_dict",
        "quantized": "uses 'torch._utils._rebuild_qtensor', .*quantized",
        "script": r"a TorchScript archive, .*save module.state_dict\(\)",
        "sparse": "uses 'torch._utils._rebuild_sparse_tensor', .*sparse",
        "tuple_key": "a dict with a tuple as a key, not text or a small integer",
    }.items(),
)
def test_the_error_for_another_object_of_pytorch_names_it(content: str, words: str) -> None:
    path = NEWEST / f"{content}.pt"
    with pytest.raises(ValueError, match=words) as caught:
        torch_file.load(path)
    assert str(caught.value).startswith(f"{path} cannot be read: it")


@pytest.mark.parametrize(
    ("part", "words"),
    {
        "a storage": (storage(), "at 'x.inner' it holds a storage"),
        "a name": (name("torch.FloatStorage"), "at 'x.inner' it holds the name torch.FloatStorage"),
    }.values(),
)
def test_the_error_for_an_object_that_is_not_a_value_names_its_place(part: bytes, words: str, tmp_path: Path) -> None:
    pickled = b"\x80\x02}" + value("x") + b"}" + value("inner") + part + b"ss."
    with pytest.raises(ValueError, match=words):
        torch_file.load(write_pickle(tmp_path / "x.pt", pickled, s0=SIX))


def test_other_files_are_refused(tmp_path: Path) -> None:
    for data, words in ((b"", "but with b''"), (b"\x93NUMPY", r"not begin as .* but with b'\\x93NUM'")):
        (tmp_path / "x.pt").write_bytes(data)
        with pytest.raises(ValueError, match=words):
            torch_file.load(tmp_path / "x.pt")
    np.savez(tmp_path / "x.npz", a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(ValueError, match="a zip archive without a data.pkl, .* it has 'a.npy', 'b.npy'"):
        torch_file.load(tmp_path / "x.npz")


def test_a_missing_file_raises_the_error_of_open(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        torch_file.load(tmp_path / "x.pt")
    with pytest.raises(OSError):
        torch_file.load(tmp_path)


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="half must be 'float32' or 'keep', but is 'float64'"):
        torch_file.load(NEWEST / "gpu.pt", half="float64")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="most_bytes must be at least 0, but is -1"):
        torch_file.load(NEWEST / "gpu.pt", most_bytes=-1)


@pytest.mark.parametrize("path", [None, 3, io.BytesIO()])
def test_the_error_for_a_value_that_is_not_a_path_names_its_type(path: Any) -> None:
    words = rf"expected a path of a file, as in load\('policy.pt'\), but got a {type(path).__name__}$"
    with pytest.raises(TypeError, match=words):
        torch_file.load(path)


def test_text_that_python_can_hold_and_utf8_cannot_is_kept(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "x.pt", program(x=value("\ud800 half of a pair")))
    assert torch_file.load(path) == {"x": "\ud800 half of a pair"}


def test_a_device_is_its_name_and_a_size_is_a_tuple(tmp_path: Path) -> None:
    device = called("torch.device", value("cuda"), value(3))
    size = called("torch.Size", value((2, 3)))
    path = write_pickle(tmp_path / "x.pt", program(device=device, size=size))
    assert torch_file.load(path) == {"device": "cuda:3", "size": (2, 3)}

"""Pickles of plain values, of NumPy's arrays and of PyTorch's tensors are read as Python reads them, without running
them; objects of other classes become inert stand-ins."""

from __future__ import annotations

import collections
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.make_pickles import FOLDER, contents
from hypothesis import given
from hypothesis import strategies as st
from torch_archives import harmless, program, same, text, value, write_pickle

from npnets import interop
from npnets.interop import Foreign, pickle_file, torch_file

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

PROTOCOLS = range(6)


def _own(array: Any) -> Any:
    """Return an array as the reader returns it: in rows, and in the machine's byte order."""
    if isinstance(array, list):
        return [_own(part) for part in array]
    return np.array(array, array.dtype.newbyteorder("="), order="C") if isinstance(array, np.ndarray) else array


# -- plain values ----------------------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.sets(st.text(max_size=3) | st.integers(-9, 9) | st.binary(max_size=3), max_size=3)
    | st.frozensets(st.text(max_size=3), max_size=3),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.lists(parts, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(-5, 5), parts, max_size=4)
    ),
    max_leaves=20,
)


@given(expected=PLAIN, protocol=st.sampled_from(PROTOCOLS))
def test_a_plain_value_is_read_as_it_was_pickled_in_every_protocol(expected: Any, protocol: int) -> None:
    for pickler in (pickle.dumps, pickle._dumps):  # type: ignore[attr-defined]
        assert same(pickle_file.load(pickler(expected, protocol)), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_ordered_dict_is_a_dict_and_a_bytearray_is_bytes(protocol: int) -> None:
    pickled = pickle.dumps([collections.OrderedDict(b=1, a=2), bytearray(b"\xff\n"), bytearray(), b""], protocol)
    assert same(pickle_file.load(pickled), [{"b": 1, "a": 2}, b"\xff\n", b"", b""])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_values_are_read(protocol: int) -> None:
    expected = [
        "x" * 70_000,
        b"y" * 70_000,
        list(range(3000)),
        {str(n): n for n in range(3000)},
        "é€\ud800\U0001f600\n\\u",
    ]
    assert same(pickle_file.load(pickle.dumps(expected, protocol)), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_tuple_in_a_list_that_it_holds_is_an_error_not_a_loop(protocol: int) -> None:
    inner: list[Any] = []
    inner.append((inner,))
    with pytest.raises(ValueError, match="more than 100 nested dicts or lists, or one that holds itself"):
        pickle_file.load(pickle.dumps(inner, protocol))


@pytest.mark.parametrize(
    ("pickled", "expected"),
    {
        "text of Python 2": (b"S'a\\x41\\n'\np0\n.", "aA\n"),
        "bytes of Python 2": (b"U\x02\xff\x00.", b"\xff\x00"),
        "short text of Python 2": (b"U\x02ab.", "ab"),
        "long text of Python 2": (b"T\x02\x00\x00\x00ab.", "ab"),
        "a long integer": (b"L123456789012345678901L\n.", 123456789012345678901),
        "a flag and a number": (b"(I01\nI1\nt.", (True, 1)),
        "a dict from a group": (b"(S'a'\nI1\nd.", {"a": 1}),
        "a list from a group": (b"(I1\nI2\nl.", [1, 2]),
        "a value twice": (b"I1\n2\x86.", (1, 1)),
        "a dropped value": (b"I1\nI2\n0.", 1),
        "a dropped group": (b"I1\n(I2\n1.", 1),
        "a memo from 1 on": (b"I5\nq\x01h\x01\x86.", (5, 5)),
    }.values(),
)
def test_older_instructions_are_read_as_python_reads_them(pickled: bytes, expected: Any) -> None:
    assert same(pickle_file.load(pickled), expected)
    if not isinstance(expected, bytes):
        assert pickle.loads(pickled) == expected


# -- NumPy -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("release", [1, 2])
def test_arrays_that_a_release_of_numpy_pickled_are_read_bit_for_bit(release: int, protocol: int) -> None:
    found = pickle_file.load(FOLDER / f"numpy_{release}_{protocol}.pkl")
    expected = contents()
    assert list(found) == list(expected)
    assert [key for key in expected if not same(found[key], _own(expected[key]))] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_that_this_numpy_pickles_are_read_bit_for_bit(protocol: int) -> None:
    found, expected = pickle_file.load(pickle.dumps(contents(), protocol)), contents()
    assert [key for key in expected if not same(found[key], _own(expected[key]))] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_array_has_memory_of_its_own(protocol: int) -> None:
    array = np.arange(6.0)
    found = pickle_file.load(pickle.dumps([array, array], protocol))
    found[0][...] = 7
    assert found[1].tolist() == [0, 1, 2, 3, 4, 5]
    assert all(part.flags.c_contiguous and part.flags.writeable and part.dtype.isnative for part in found)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "odd",
    [
        np.array([{"a": 1}, None], object),
        np.array([b"ab", b"c"]),
        np.array(["ab", "c"]),
        np.zeros(2, [("a", "f4"), ("b", "i4", 2)]),
        np.array(["2020-01-01"], "M8[D]"),
        np.datetime64("2020-01-01"),
        np.array([3], "m8[s]"),
        np.zeros(2, "V3"),
    ],
    ids=lambda odd: str(odd.dtype),
)
def test_arrays_of_other_dtypes_are_refused_by_name_or_stand_ins(odd: Any, protocol: int) -> None:
    pickled = pickle.dumps({"x": [odd], "y": 1}, protocol)
    with pytest.raises(
        ValueError, match=r"at 'x\.0' it holds a numpy\.(ndarray|generic) of dtype '.*'; .*foreign='omit'"
    ):
        pickle_file.load(pickled)
    kept = pickle_file.load(pickled, foreign="keep")
    assert harmless(kept) and kept["x"][0].name in ("numpy.ndarray", "numpy.generic")
    assert pickle_file.load(pickled, foreign="omit") == {"x": [], "y": 1}


def test_metadata_of_a_dtype_is_dropped() -> None:
    noted = np.ones(2, np.dtype("f4", metadata={"a": 1}))
    assert same(pickle_file.load(pickle.dumps(noted, 4)), np.ones(2, "f4"))


def test_a_class_of_arrays_of_its_own_is_foreign() -> None:
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    with pytest.raises(ValueError, match="it uses 'numpy.ma.core._mareconstruct'"):
        pickle_file.load(pickle.dumps(masked, 2))
    kept = pickle_file.load(pickle.dumps(masked, 2), foreign="keep")
    assert isinstance(kept, Foreign) and kept.name == "numpy.ma.core._mareconstruct" and harmless(kept)


def test_a_file_of_torch_may_hold_arrays_and_scalars_of_numpy(tmp_path: Path) -> None:
    entries = {"a": np.arange(3.0), "b": np.float64(2.5), "c": np.bool_(True)}
    pickled = program(**{key: value(part) for key, part in entries.items()})
    assert same(torch_file.load(write_pickle(tmp_path / "x.pt", pickled)), entries)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState, np.random.SeedSequence])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_generator_of_random_numbers_is_an_inert_stand_in(make: Any, protocol: int) -> None:
    kept = pickle_file.load(pickle.dumps(make(0), protocol), foreign="keep")
    assert isinstance(kept, Foreign) and kept.name.startswith("numpy.random.") and harmless(kept)


# -- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tensors_in_a_plain_pickle_are_arrays(protocol: int) -> None:
    with np.load(FOLDER / "tensors.npz") as found:
        expected = {key: np.ascontiguousarray(found[key]) for key in found.files}
    assert same(pickle_file.load(FOLDER / f"tensors_{protocol}.pkl"), expected)


def test_a_pickle_of_a_file_of_torch_names_the_function_that_reads_it() -> None:
    old = FOLDER.parent / "torch_files" / "2.13.0" / "legacy.pt"
    with pytest.raises(ValueError, match=r"npnets\.interop\.torch_file\.load reads it"):
        pickle_file.load(old)
    with pytest.raises(ValueError, match="asks for an object outside it, as files of torch.save do"):
        pickle_file.load(b"\x80\x02" + text("x") + b"Q.")


# -- arguments and files ---------------------------------------------------------------------------------------------


def test_a_path_may_be_a_string_or_a_path(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(3))
    assert pickle_file.load(tmp_path / "x.pkl") == pickle_file.load(str(tmp_path / "x.pkl")) == 3


def test_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(b"\x80\x06N.")
    with pytest.raises(
        ValueError, match=r"x\.pkl cannot be read: its pickle has protocol 6; protocols 0 to 5 are read"
    ):
        pickle_file.load(tmp_path / "x.pkl")
    with pytest.raises(ValueError, match="^the pickle cannot be read: its pickle breaks off"):
        pickle_file.load(b"")
    with pytest.raises(FileNotFoundError):
        pickle_file.load(tmp_path / "y.pkl")


@pytest.mark.parametrize("path", [None, 3, io.BytesIO()])
def test_the_error_for_a_value_that_is_no_path_names_its_type(path: Any) -> None:
    with pytest.raises(TypeError, match=rf"a path of a file or bytes, .* but got a {type(path).__name__}$"):
        pickle_file.load(path)


def test_arguments_that_make_no_sense_are_refused() -> None:
    for load in (pickle_file.load, torch_file.load):
        with pytest.raises(ValueError, match="foreign must be 'error', 'keep' or 'omit', but is 'drop'"):
            load(b"N.", foreign="drop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="most_bytes must be at least 0, but is -1"):
        pickle_file.load(b"N.", most_bytes=-1)


def test_the_memory_of_all_arrays_is_limited_by_an_option() -> None:
    pickled = pickle.dumps([np.zeros(1000)] * 2, 5)
    assert len(pickle_file.load(pickled, most_bytes=2 * 8200)) == 2
    with pytest.raises(ValueError, match=r"more than 16399 bytes .* from '1' of shape \(1000,\) on; .*larger"):
        pickle_file.load(pickled, most_bytes=2 * 8200 - 1)


def test_nothing_that_a_pickle_names_is_imported() -> None:
    code = (
        "import sys, pickle; from npnets.interop import pickle_file\n"
        "pickled = b'\\x80\\x02cturtle\\nTurtle\\n)R}b.'\n"
        "print(pickle_file.load(pickled, foreign='keep'), 'turtle' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "Foreign('turtle.Turtle', state={}, arguments=()) False False"


def test_the_stand_in_is_found_where_the_readers_are() -> None:
    assert interop.Foreign is Foreign and interop.pickle_file is pickle_file

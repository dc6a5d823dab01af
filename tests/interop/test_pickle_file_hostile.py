"""A malicious pickle is refused, or becomes inert stand-ins: none of its code runs, and it takes little memory."""

from __future__ import annotations

import copyreg
import pickle
import struct
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from golden.make_pickles import FOLDER, contents
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_archives import RUN, Trap, called, harmless, integer, integers, name, text, value

from npnets.interop import pickle_file
from npnets.interop.pickles import machine, unpickling, vocabulary

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

CHOICES: list[Any] = ["error", "keep", "omit"]
LITTLE_MEMORY = 20 * 2**20
LITTLE_TIME = 30.0  # seconds, on a busy machine

SPRING, TRAP = name("torch_archives.spring"), name("torch_archives.Trap")


def load(pickled: bytes, foreign: Any = "keep") -> Any:
    """Load a pickle: none of its code may run, what results must be harmless, and an error one short line."""
    RUN.clear()
    try:
        loaded = pickle_file.load(pickled, foreign=foreign, most_bytes=2**20)
    except ValueError as error:
        assert str(error).startswith("the pickle cannot be read: ") and "\n" not in str(error)
        assert len(str(error)) < 700
        raise
    finally:
        assert RUN == []
    assert harmless(loaded)
    return loaded


def read_or_refused(pickled: bytes) -> None:
    for foreign in CHOICES:
        try:
            repr(load(pickled, foreign))
        except ValueError:
            pass


def refused(pickled: bytes, words: str, foreign: Any = "keep") -> None:
    """Check that loading a pickle is an error with these words, in little memory and time."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(ValueError, match=words):
            load(pickled, foreign)
        assert tracemalloc.get_traced_memory()[1] < LITTLE_MEMORY
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - begin < LITTLE_TIME


def cases(named: dict[str, tuple[bytes, str]]) -> Any:
    return pytest.mark.parametrize(("pickled", "words"), named.values(), ids=named)


# -- code ------------------------------------------------------------------------------------------------------------

RECONSTRUCT = b"ccopyreg\n_reconstructor\n" + TRAP + b"cbuiltins\nobject\nN\x87R"
NUMBERS = called("numpy._core.multiarray._reconstruct", name("numpy.ndarray"), b"K\x00\x85", b"C\x01b")
CALLS = {
    "reduce": called("torch_archives.spring", value(1)) + b".",
    "inst": b"(K\x01itorch_archives\nspring\n.",
    "obj": b"(" + SPRING + b"K\x01o.",
    "newobj": TRAP + b")\x81.",
    "newobj_ex": TRAP + b")}\x92.",
    "stack_global": b"\x8c\x0etorch_archives\x8c\x06spring\x93)R.",
    "stack_global with dots": b"\x8c\x0etorch_archives\x8c\x0cTrap.__new__\x93" + TRAP + b"\x85R.",
    "build": RECONSTRUCT + b"}K\x01K\x02sb.",
    "as a member of a set": b"\x8f(" + called("torch_archives.spring") + b"\x90.",
    "as an argument of a class that is known": called("builtins.complex", called("torch_archives.spring")) + b".",
    "as the state of an array": NUMBERS + called("torch_archives.spring") + b"b.",
    "as a key": b"}" + called("torch_archives.spring") + b"K\x01s.",
    "dropped": called("torch_archives.spring") + b"0K\x01.",
    **{f"protocol {protocol}": pickle.dumps(Trap.__new__(Trap), protocol) for protocol in range(6)},
}


@pytest.mark.parametrize("foreign", CHOICES)
@pytest.mark.parametrize("pickled", CALLS.values(), ids=CALLS)
def test_code_that_pythons_unpickler_would_run_is_not_run(pickled: bytes, foreign: Any) -> None:
    RUN.clear()
    try:
        pickle.loads(b"\x80\x04" + pickled)
    except (TypeError, ValueError) as error:
        assert error is not None
    assert RUN, "this pickle does no harm to Python's own unpickler, so that the test would prove nothing"
    try:
        load(b"\x80\x04" + pickled, foreign)
    except ValueError as error:
        assert foreign != "error" or "uses 'torch_archives." in str(error)
    else:
        assert foreign != "error"


@pytest.fixture(scope="module", autouse=True)
def registered_extension() -> Iterator[None]:
    """The number 0xf0 means `spring` to Python's own unpickler."""
    copyreg.add_extension("torch_archives", "spring", 0xF0)
    yield
    copyreg.remove_extension("torch_archives", "spring", 0xF0)


@pytest.mark.parametrize("foreign", CHOICES)
@pytest.mark.parametrize("code", [b"\x82\xf0", b"\x83\xf0\x00", b"\x84\xf0\x00\x00\x00"])
def test_a_number_of_a_registered_name_is_refused(code: bytes, foreign: Any) -> None:
    RUN.clear()
    pickle.loads(b"\x80\x02" + code + b")R.")
    assert RUN
    refused(b"\x80\x02" + code + b")R.", "for a number of a registered name, which is not in the file", foreign)


def test_buffers_outside_the_pickle_are_refused() -> None:
    pickled = pickle.dumps(np.ones(3), 5, buffer_callback=lambda buffer: None)
    refused(pickled, "for buffers outside the pickle, which are not in the file; pickle without buffer_callback")


def test_a_name_may_not_smuggle_letters_into_an_error_or_a_stand_in() -> None:
    for foreign in ("error", "keep"):
        path = b"os\x1b[2J\r" + b"x" * 100
        refused(b"c" + path + b"\nx\n)R\x85R.", "uses 'os|calls with|calls os|takes a value", foreign)
    assert repr(load(b"\x80\x04\x8c\x05os\n\x1b[\x8c\x01x\x93.")) == r"Foreign('os\n\x1b[.x')"
    refused(b"\x80\x04\x8c\x05os\n\x1b[\x8c\x01x\x93.", r"uses 'os\\n", "error")


# -- bounds ----------------------------------------------------------------------------------------------------------


def _doubled(first: bytes, twice: bytes) -> bytes:
    """A value that holds the one before it twice, 60 times over: 2**60 of the first."""
    steps = (twice.replace(b"?", b"h%c" % place) + b"q%c" % (place + 1) for place in range(60))
    return b"\x80\x02](" + first + b"q\x00" + b"".join(steps) + b"eh\x3c\x86."


MEGABYTE = text("x" * 10**6)
OBJECT = name("a.B") + b")R"


@cases(
    {
        "text of 4 GiB": (b"X\xff\xff\xff\xff.", "breaks off"),
        "text of 2**63": (b"\x8d" + struct.pack("<Q", 2**63), "breaks off"),
        "bytes of 2**62": (b"\x8e" + struct.pack("<Q", 2**62), "breaks off"),
        "a bytearray of 2**62": (b"\x96" + struct.pack("<Q", 2**62), "breaks off"),
        "an integer of 4 GiB": (b"\x8b\xff\xff\xff\xff", "an integer of 4294967295 bytes"),
        "an integer of too many bytes": (b"\x8b\x01\x04\x00\x00" + b"\x01" * 1025 + b".", "an integer of 1025 bytes"),
        "an integer of too many digits": (b"I" + b"1" * 2000 + b"\n.", "a number without an end"),
        "an integer of letters": (b"Ione\n.", "b'one' where an integer must be"),
        "a number of letters": (b"Fone\n.", "b'one' where a number must be"),
        "a frame of 2**62": (b"\x80\x04\x95" + struct.pack("<Q", 2**62), "announces 4611686018427387904 bytes, and 0"),
        "the last place of the memo": (b"}r\xff\xff\xff\xff.", "number 4294967295, out of turn"),
        "a place of the memo of many digits": (b"}p" + b"9" * 100 + b"\n.", "a number without an end"),
        "a place of the memo below 0": (b"}g-1\n.", "recalls value number -1"),
        "lists of lists": (_doubled(b"]", b"](??e"), "in too many places to be repeated in each"),
        "tuples of tuples": (_doubled(b")", b"??\x86"), "in too many places to be repeated in each"),
        "objects of objects": (
            _doubled(OBJECT, name("a.B") + b"??\x86R"),
            "in too many places to be repeated in each",
        ),
        "states of states": (_doubled(OBJECT, OBJECT + b"??\x86b"), "in too many places to be repeated in each"),
        "sets of sets": (_doubled(b"\x8f", b"\x8f(??\x90"), "in too many places to be repeated in each"),
        "arrays of objects of arrays": (
            _doubled(OBJECT, called("numpy.core.multiarray.scalar", called("numpy.dtype", value("O8")), b"??\x86")),
            "in too many places to be repeated in each",
        ),
        "objects within one another": (name("a.B") * 3000 + b")" + b"R\x85" * 2999 + b"R.", "more than 100 nested"),
        "states within one another": (OBJECT * 3000 + b"b" * 2999 + b".", "more than 100 nested"),
        "a list in itself": (b"]q\x00h\x00a.", "one that holds itself"),
        "one text encoded in many places": (
            b"](c_codecs\nencode\nq\x00" + MEGABYTE + text("latin1") + b"\x86q\x01R" + b"h\x00h\x01R" * 1000 + b"e.",
            r"more than 1048576 bytes of memory.*from '1' ",
        ),
        "one list as many sets": (
            b"](]q\x00("
            + b"K\x01" * 1000
            + b"e"
            + name("builtins.set")
            + b"q\x01h\x00\x85q\x02R"
            + b"h\x01h\x02R" * 3000
            + b"e.",
            "too many places|more than 65536 members of sets",
        ),
        "one argument list of many calls": (
            b"](" + name("builtins.complex") + b"q\x00(" + b"N" * 100_000 + b"tq\x01R" + b"h\x00h\x01R" * 1000 + b"e.",
            "with 100000 arguments, more than 16",
        ),
        "many arguments beside one by name": (
            name("a.B") + b"(" + b"N" * 100 + b"t}" + text("x") + b"Ns\x92.",
            "100 arguments and more by name",
        ),
    }
)
def test_a_pickle_that_would_take_disproportionate_memory_or_time_is_refused(pickled: bytes, words: str) -> None:
    refused(pickled, words)


@cases(
    {
        "lists": (b"](" + b"]" * 400_000 + b"e.", f"more than {machine.MOST_VALUES} containers"),
        "sets": (b"](" + b"\x8f" * 400_000 + b"e.", f"more than {machine.MOST_VALUES} containers"),
        "objects": (
            b"](" + name("a.B") + b"q\x00" + b"h\x00)R" * 400_000 + b"e.",
            f"more than {machine.MOST_VALUES} containers",
        ),
        "values made by known classes": (
            b"](" + name("collections.OrderedDict") + b"q\x00" + b"h\x00)R" * 400_000 + b"e.",
            f"more than {machine.MOST_VALUES} containers",
        ),
        "nothing at all": (b"N0" * 1_100_000 + b"N.", f"more than {unpickling.MOST_STEPS} instructions"),
    }
)
@pytest.mark.slow
def test_very_many_small_things_are_refused(pickled: bytes, words: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(ValueError, match=words):
        load(pickled)
    assert time.perf_counter() - begin < LITTLE_TIME


def test_keys_that_python_would_compare_with_each_other_are_not_compared() -> None:
    keys = [integer(n * (2**61 - 1)) for n in range(1, 5000)]
    begin = time.perf_counter()
    kept = load(b"}(" + b"N".join(keys) + b"Nu.")
    assert len(kept.arguments[0]) == 4999
    load(b"\x8f(" + b"".join(keys) + b"\x90.")
    assert time.perf_counter() - begin < LITTLE_TIME


def test_quoted_text_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(b"S'\\q'\n.", r"quoted text with b'\\\\q'")
        refused(b"S'\\x4'\n.", "quoted text with")
        refused(b"S'ab\n.", "where quoted text must be")
        refused(b"V\\u12\n.", "text that is none")
    assert load(b"S'" + rb"\x41\\\'\"\n\r\t" + b"'\n.") == "A\\'\"\n\r\t"


# -- NumPy -----------------------------------------------------------------------------------------------------------


def _array(shape: bytes, dtype: bytes, content: bytes, flag: bytes = b"\x89") -> bytes:
    return NUMBERS + b"(K\x01" + shape + dtype + flag + content + b"tb."


F4 = value(np.dtype("f4"))
BUFFER = "numpy._core.numeric._frombuffer"


@cases(
    {
        "fewer bytes than numbers": (
            _array(integers((3,)), F4, value(bytes(8))),
            r"shape \(3,\) and dtype float32 has 8 b",
        ),
        "more bytes than numbers": (_array(integers((1,)), F4, value(bytes(8))), r"dtype float32 has 8 bytes"),
        "a negative size": (_array(integers((-1,)), F4, value(bytes(4))), "negative, huge or fractional size"),
        "two negative sizes": (_array(integers((-1, -1)), F4, value(bytes(4))), "negative, huge or fractional size"),
        "a huge size": (_array(integers((2**61,)), F4, value(bytes(4))), "pass a larger most_bytes"),
        "sizes whose product overflows": (_array(integers((2**33, 2**33)), F4, value(b"")), "pass a larger most_bytes"),
        "nothing, of huge sizes": (_array(integers((2**61, 0, 2**61)), F4, value(b"")), "too large for an array"),
        "too many axes": (_array(integers((1,) * 65), F4, value(bytes(4))), "65 axes"),
        "a size of text": (_array(b"(" + text("x") + b"t", F4, value(b"")), "negative, huge or fractional size"),
        "a flag as a size": (_array(b"\x88\x85", F4, value(bytes(4))), "negative, huge or fractional size"),
        "no dtype": (_array(integers((1,)), b"N", value(bytes(4))), "an array with a state"),
        "a name as a dtype": (_array(integers((1,)), name("numpy.ndarray"), value(b"")), "an array with a state"),
        "text beyond latin1": (_array(integers((1,)), F4, text("\u1234")), "the bytes of an array with a str"),
        "a list as bytes": (_array(integers((1,)), F4, b"]"), "the bytes of an array with a list"),
        "a list in a list": (_array(integers((1,)), F4, b"](]e"), "the bytes of an array with a list"),
        "a flag that is none": (_array(integers((1,)), F4, value(bytes(4)), b"K\x05"), "an array with a state"),
        "an array without a state": (NUMBERS + b".", "an array without a state"),
        "an array with two states": (
            _array(integers((1,)), F4, value(bytes(4)))[:-1]
            + b"(K\x01"
            + integers((1,))
            + F4
            + b"\x89"
            + value(bytes(4))
            + b"tb.",
            "an array with a state",
        ),
        "a dtype of many letters": (called("numpy.dtype", value("f" * 100)) + b".", "numpy.dtype with arguments"),
        "a dtype of an object": (called("numpy.dtype", OBJECT) + b".", "numpy.dtype with arguments"),
        "a dtype with two states": (
            F4 + b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.",
            "two states",
        ),
        "an order that is none": (
            called("numpy.dtype", value("f4"), b"\x89\x88") + b"(K\x03" + text("!") + b"NNNK\x01K\x01K\x00tb.",
            "a dtype with a state",
        ),
        "fields in a number": (
            called("numpy.dtype", value("f4"), b"\x89\x88")
            + b"(K\x03"
            + text("|")
            + b"N"
            + value(("a",))
            + value({"a": 1})
            + b"K\x04K\x01K\x00tb.",
            "a dtype with a state",
        ),
        "a scalar of two numbers": (called("numpy.core.multiarray.scalar", F4, value(bytes(8))) + b".", "has 8 bytes"),
        "a scalar without a dtype": (
            called("numpy.core.multiarray.scalar", b"N", value(b"")) + b".",
            "scalar with arg",
        ),
        "a buffer of text": (
            called(BUFFER, text("abcd"), F4, integers((1,)), text("C")) + b".",
            "_frombuffer with arg",
        ),
        "a buffer in no order": (
            called(BUFFER, b"C\x04abcd", F4, integers((1,)), text("A")) + b".",
            "_frombuffer with arg",
        ),
        "axes that are none": (
            called(BUFFER, b"C\x04abcd", F4, integers((1,)), text("K"), integers((1,))) + b".",
            "_frombuffer with arg",
        ),
        "axes twice": (
            called(BUFFER, b"C\x04abcd", F4, integers((1, 1)), text("K"), integers((0, 0))) + b".",
            "_frombuffer with arg",
        ),
        "an array of a class that is none": (
            called("numpy.core.multiarray._reconstruct", text("x"), b")", b"N") + b".",
            "_reconstruct with arguments",
        ),
        "text encoded as something else": (called("_codecs.encode", text("x"), text("zip")) + b".", "encode with arg"),
        "a complex number of text": (called("builtins.complex", text("1"), text("2")) + b".", "complex with arguments"),
        "bytes of a number": (called("builtins.bytes", integer(2**40)) + b".", "bytes or bytearray with arguments"),
        "a bytearray of a number": (called("builtins.bytearray", integer(2**40)) + b".", "bytearray with arguments"),
        "a set of text": (called("builtins.set", text("abc")) + b".", "set or frozenset with arguments"),
        "an object of no class": (
            called("copyreg._reconstructor", text("x"), b"N", b"N") + b".",
            "_reconstructor with arg",
        ),
        "a new object of no class": (called("copyreg.__newobj__", text("x")) + b".", "__newobj__ with arguments"),
        "a call of an array": (F4 + b")R.", "calls a Dtype, which cannot be called"),
        "a call of text": (text("os.system") + b")R.", "calls a str, which cannot be called"),
        "a call of a class of arrays": (called("numpy.ndarray", b"K\x05") + b".", "calls numpy.ndarray, which cannot"),
        "an object with two states": (OBJECT + b"K\x01bK\x02b" + b".", "a state twice"),
    }
)
def test_numbers_and_calls_that_python_and_numpy_do_not_write_are_refused(pickled: bytes, words: str) -> None:
    refused(b"\x80\x05" + pickled, words)


def test_a_flag_of_any_bit_is_a_flag() -> None:
    loaded = load(b"\x80\x05" + _array(integers((3,)), value(np.dtype("?")), b"C\x03\x00\x02\xff"))
    assert loaded.tolist() == [False, True, True] and loaded.view(np.uint8).tolist() == [0, 1, 1]


def test_the_axes_of_an_array_are_put_in_their_order() -> None:
    content = b"C\x18" + np.arange(6, dtype="<f4").tobytes()
    pickled = called(BUFFER, content, F4, integers((2, 3)), text("K"), integers((1, 0)))
    assert load(b"\x80\x05" + pickled + b".").tolist() == [[0, 3], [1, 4], [2, 5]]


# -- damage ----------------------------------------------------------------------------------------------------------

SAMPLES = [
    *(pickle.dumps({"x": np.arange(3.0), "y": [np.float32(1), {"a"}, b"b", 2j]}, protocol) for protocol in range(6)),
    (FOLDER / "tensors_4.pkl").read_bytes(),
]


@pytest.mark.slow
@pytest.mark.parametrize("pickled", SAMPLES)
def test_a_pickle_cut_off_anywhere_is_refused(pickled: bytes) -> None:
    for end in range(0, len(pickled), 3):
        with pytest.raises(ValueError):
            load(pickled[:end])


@pytest.mark.slow
@pytest.mark.parametrize("pickled", SAMPLES)
def test_a_pickle_with_any_byte_changed_is_read_or_refused(pickled: bytes) -> None:
    rng = np.random.default_rng(0)
    for at in range(0, len(pickled), 1 + len(pickled) // 120):
        for changed in (0, ord("."), 0xFF, int(rng.integers(256))):
            read_or_refused(pickled[:at] + bytes([changed]) + pickled[at + 1 :])


NAMES = sorted({*vocabulary.CONSTRUCTORS, *vocabulary.NAMES, "torch.storage._load_from_bytes", "os.system", "a.B"})
INSTRUCTIONS = st.one_of(
    st.sampled_from(
        [bytes([code]) for code in unpickling._INSTRUCTIONS if bytes([code]) not in b"cXTUBCSVPILF\x8a\x8b"]
    ),
    st.binary(min_size=1, max_size=3),
    st.sampled_from([b"h%c" % place for place in range(8)] + [b"q%c" % place for place in range(8)]),
    st.sampled_from([name(path) for path in NAMES]),
    st.sampled_from([F4, NUMBERS, OBJECT, value(np.ones(2)), text("latin1"), text("C"), b")", b"}", b"(t", b"\x8f"]),
    st.sampled_from([called(path) for path in NAMES] + [name(path) + text("x") + b"\x85R" for path in NAMES]),
    st.integers(-(2**70), 2**70).map(integer),
    st.integers(0, 7).map(integer),
    st.floats().map(value),
    st.text(max_size=5).map(text),
    st.binary(max_size=8).map(lambda part: b"C%c" % len(part) + part),
)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    body=st.lists(INSTRUCTIONS, max_size=60).map(b"".join), ending=st.sampled_from([b".", b"s.", b"u.", b"b.", b"R."])
)
def test_any_pickle_is_read_or_refused(body: bytes, ending: bytes) -> None:
    read_or_refused(b"\x80\x05" + body + ending)
    read_or_refused(b"](" + body + b"e.")


ARGUMENTS = st.recursive(
    st.one_of(
        st.sampled_from([F4, NUMBERS, OBJECT, b"}", b"]", b"\x8f", name("numpy.ndarray"), name("builtins.object")]),
        st.sampled_from([text("latin1"), text("C"), text("K"), text("f4"), b"C\x08abcdefgh", b"C\x01b"]),
        st.none().map(value),
        st.booleans().map(value),
        st.integers(-3, 7).map(integer),
        st.text(max_size=3).map(text),
    ),
    lambda parts: st.lists(parts, max_size=4).map(lambda some: b"(" + b"".join(some) + b"t"),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=150)
@given(path=st.sampled_from(NAMES), arguments=st.lists(ARGUMENTS, max_size=6), state=st.none() | ARGUMENTS)
def test_a_constructor_takes_any_arguments_and_state_or_refuses(
    path: str, arguments: list[bytes], state: bytes | None
) -> None:
    read_or_refused(b"\x80\x05" + called(path, *arguments) + (b"" if state is None else state + b"b") + b".")


@pytest.mark.slow
def test_every_pickle_in_the_fixtures_survives_a_change_of_its_names() -> None:
    pickled = pickle.dumps(contents(), 4)
    for old, new in ((b"numpy", b"nunpy"), (b"dtype", b"xtype"), (b"_reconstruct", b"_xeconstruct")):
        read_or_refused(pickled.replace(old, new))

"""A malicious pickle is refused, or becomes inert stand-ins: none of its code runs, whatever bytes it is made of."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from golden.make_pickles import FOLDER, contents
from hostile_pickles import CHOICES, F4, NUMBERS, OBJECT, load, read_or_refused, refused
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_archives import RUN, Trap, called, integer, name, text, value

from npnets.interop.pickles import unpickling, vocabulary

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

SPRING, TRAP = name("torch_archives.spring"), name("torch_archives.Trap")

# -- code ------------------------------------------------------------------------------------------------------------

RECONSTRUCT = b"ccopyreg\n_reconstructor\n" + TRAP + b"cbuiltins\nobject\nN\x87R"
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


# -- damage ----------------------------------------------------------------------------------------------------------

VALUE = {"x": np.arange(3.0), "y": [np.float32(1), {"a"}, b"b", 2j]}
SAMPLES = {f"protocol {protocol}": pickle.dumps(VALUE, protocol) for protocol in range(6)}
SAMPLES["tensors_4.pkl"] = (FOLDER / "tensors_4.pkl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("pickled", SAMPLES.values(), ids=SAMPLES)
def test_a_pickle_cut_off_anywhere_is_refused(pickled: bytes) -> None:
    for end in range(0, len(pickled), 3):
        with pytest.raises(ValueError):
            load(pickled[:end])


@pytest.mark.slow
@pytest.mark.parametrize("pickled", SAMPLES.values(), ids=SAMPLES)
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

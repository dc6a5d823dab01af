"""False sizes, and pickles that would take disproportionate memory or time, are refused within little memory."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from torch_archives import SIX, cases, integer, load, name, program, refused, storage, tensor, text, value, write_pickle

from npnets.interop.pickles import machine, unpickling, vocabulary

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")


# -- false sizes -----------------------------------------------------------------------------------------------------


@cases(
    {
        "an offset past the end": (tensor(offset=1), r"at 'x', a tensor of shape \(2, 3\) .* reaches outside"),
        "a negative offset": (tensor(offset=-1), "reaches outside its storage of 6 numbers"),
        "a huge offset": (tensor(offset=2**300, shape=(), strides=()), "reaches outside its storage"),
        "a stride too long": (tensor(strides=(4, 1)), "reaches outside its storage"),
        "a shape too long": (tensor(shape=(7,), strides=(1,)), "reaches outside its storage"),
        "a negative stride": (tensor(offset=5, strides=(-3, 1)), "negative, huge or fractional size or stride"),
        "a negative size": (tensor(shape=(-2, -3)), "negative, huge or fractional size or stride"),
        "a huge size": (tensor(shape=(2**62, 1)), "negative, huge or fractional size or stride"),
        "a huge stride of nothing": (tensor(shape=(1, 0), strides=(2**300, 1)), "negative, huge or fractional"),
        "sizes whose product overflows": (tensor(shape=(2**32, 2**32), strides=(0, 0)), "pass a larger most_bytes"),
        "no numbers, of huge sizes": (tensor(shape=(2**40, 0, 2**40), strides=(0, 0, 0)), "too large for an array"),
        "fewer strides than sizes": (tensor(strides=(1,)), "2 axes with 1 strides"),
        "too many axes": (tensor(shape=(1,) * 65, strides=(1,) * 65), "65 axes; NumPy's arrays have at most 64"),
        "more numbers than the record": (tensor(storage(count=7)), "has 24 bytes, where 7 numbers of float32 must be"),
        "fewer numbers than the record": (tensor(storage(count=5)), "has 24 bytes, where 5 numbers of float32 must be"),
        "fewer than no numbers": (tensor(storage(count=-6)), "where -6 numbers of float32 must be"),
        "a huge number of numbers": (tensor(storage(count=2**300)), "numbers of float32 must be"),
        "numbers of another width": (tensor(storage("torch.DoubleStorage")), "where 6 numbers of float64 must be"),
        "a record that is not there": (tensor(storage(key="s1")), "lacks the record 'data/s1'"),
        "a record elsewhere": (tensor(storage(key="../../../etc/passwd")), r"lacks the record 'data/\.\./\.\./"),
        "a record with a long name": (tensor(storage(key="x" * 101)), "a storage in an unknown form"),
    }
)
def test_a_tensor_that_does_not_fit_its_storage_is_refused(pickled: bytes, words: str, tmp_path: Path) -> None:
    refused(tmp_path, program(x=pickled), words)


def test_the_stride_of_a_single_entry_may_be_anything(tmp_path: Path) -> None:
    pickled = program(x=tensor(shape=(1, 6), strides=(2**62 - 1, 1)))
    assert load(write_pickle(tmp_path / "x.pt", pickled, s0=SIX))["x"].tolist() == [[0, 1, 2, 3, 4, 5]]


def test_an_empty_tensor_takes_nothing_whatever_its_strides_say(tmp_path: Path) -> None:
    pickled = program(x=tensor(offset=10**6, shape=(3, 0), strides=(10**9, 1)))
    assert load(write_pickle(tmp_path / "x.pt", pickled, s0=SIX))["x"].shape == (3, 0)


# -- bounds ----------------------------------------------------------------------------------------------------------


def _doubled(first: bytes, twice: bytes) -> bytes:
    """A value that holds the one before it twice, 60 times over: 2**60 of the first."""
    steps = (twice.replace(b"?", b"h%c" % place) + b"q%c" % (place + 1) for place in range(60))
    return b"\x80\x02}" + text("unused") + b"](" + first + b"q\x00" + b"".join(steps) + b"es" + text("x") + b"h\x3cs."


@pytest.mark.slow
@cases(
    {
        "text of 4 GiB": (b"\x80\x02X\xff\xff\xff\xff.", "breaks off"),
        "an integer of 2 GiB": (b"\x80\x02\x8b\xff\xff\xff\x7f.", "an integer of 2147483647 bytes"),
        "bytes of 2**62": (b"\x80\x02\x8e" + struct.pack("<Q", 2**62), "breaks off"),
        "a frame of 2**62": (
            b"\x80\x02\x95" + struct.pack("<Q", 2**62),
            "announces 4611686018427387904 bytes, and 0 are",
        ),
        "the last place of the memo": (b"\x80\x02}r\xff\xff\xff\xff.", "number 4294967295, out of turn"),
        "lists of lists": (_doubled(b"]", b"](??e"), "in too many places to be repeated in each"),
        "dicts of dicts": (
            _doubled(b"}", b"}(" + text("a") + b"?" + text("b") + b"?u"),
            "in too many places to be repeated in each",
        ),
        "tuples of tuples": (_doubled(b")", b"??\x86"), "in too many places to be repeated in each"),
        "a list in itself": (
            program(x=b"]q\x00h\x00a"),
            "more than 100 nested dicts or lists, or one that holds itself",
        ),
        "a dict in itself": (b"\x80\x02}q\x00" + text("x") + b"h\x00s.", "one that holds itself"),
        "lists within one another": (program(x=b"]" * 30_000 + b"a" * 29_999), "more than 100 nested dicts or lists"),
        "tuples within one another": (program(x=b")" + b"\x85" * 30_000), "more than 100 nested dicts or lists"),
        "a tensor of 2**59 numbers": (program(x=tensor(shape=(2**59,), strides=(0,))), "pass a larger most_bytes"),
        "many empty arrays": (
            program(x=b"](" + tensor(shape=(0,), strides=(1,)) + b"q\x00" + b"h\x00" * 9000 + b"e"),
            r"more than 1048576 bytes of memory.* from 'x\.5242' of shape \(0,\) on",
        ),
    }
)
def test_a_pickle_that_would_take_disproportionate_memory_is_refused(
    pickled: bytes, words: str, tmp_path: Path
) -> None:
    refused(tmp_path, pickled, words)


def test_a_pickle_of_too_many_bytes_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = program(x=value("long enough"))
    monkeypatch.setattr(unpickling, "MOST_BYTES", len(pickled))
    assert load(write_pickle(tmp_path / "x.pt", pickled)) == {"x": "long enough"}
    refused(tmp_path, pickled + b"\0", f"its pickle has {len(pickled) + 1} bytes, more than the {len(pickled)}")


def test_a_pickle_of_too_many_instructions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickling, "MOST_STEPS", 8)
    assert load(write_pickle(tmp_path / "x.pt", program(x=b"N"))) == {"x": None}
    refused(tmp_path, program(x=b"](NNNe"), "more than 8 instructions")


def test_too_many_values_are_refused_whatever_the_size_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpickling, "MOST_STEPS", 100)
    ten_times = b"](" + b"]q\x00(NNNNNNNNe" + b"h\x00" * 8 + b"e"
    assert len(load(write_pickle(tmp_path / "x.pt", program(x=ten_times)))["x"]) == 9
    refused(tmp_path, program(x=ten_times[:-1] + b"h\x00" * 2 + b"e"), "too many places to be repeated in each")


def test_too_many_integers_as_keys_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MOST_NUMBERED", 2)
    two = b"K\x01NK\x02N"
    assert load(write_pickle(tmp_path / "x.pt", b"\x80\x02}(" + two + b"u.")) == {1: None, 2: None}
    refused(tmp_path, b"\x80\x02}(" + two + text("x") + b"}K\x01Nsu.", "more than 2 integers as keys")


@pytest.mark.parametrize("path", sorted(vocabulary.CONSTRUCTORS))
def test_no_constructor_receives_more_than_16_arguments(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setitem(vocabulary.CONSTRUCTORS, path, lambda arguments: given.append(len(arguments)))
    call = name(path) + b"q\x00(" + b"N" * 16 + b"tq\x01R"
    assert load(write_pickle(tmp_path / "x.pt", program(x=call))) == {"x": None} and given == [16]
    again = b"](" + call.replace(b"N(", b"(").replace(b"(N", b"(NN") + b"h\x00h\x01R" * 1000 + b"e"
    refused(tmp_path, program(x=again), rf"calls {path} with 17 arguments, more than 16; ")
    assert given == [16]


def test_one_long_tuple_as_the_arguments_of_many_tensors_is_refused_at_the_first(tmp_path: Path) -> None:
    parts = storage() + integer(0) + b"))" + b"\x89}" + b"N" * 100_000
    call = name("torch._utils._rebuild_tensor_v2") + b"q\x00(" + parts + b"tq\x01R"
    refused(tmp_path, program(x=b"](" + call + b"h\x00h\x01R" * 100_000 + b"e"), "with 100006 arguments")


def test_a_place_in_an_error_is_cut_off(tmp_path: Path) -> None:
    pickled = b"\x80\x02}" + text("long" * 10**5) + tensor(offset=9) + b"s."
    refused(tmp_path, pickled, r"at '(long){20}'\.\.\., a tensor of shape")

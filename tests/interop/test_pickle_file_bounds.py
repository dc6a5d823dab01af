"""A pickle that would take disproportionate memory or time is refused within little of both."""

from __future__ import annotations

import struct
import time
import warnings

import pytest
from hostile_pickles import LITTLE_TIME, OBJECT, cases, load, refused
from torch_archives import called, integer, name, text, value

from npnets.interop.pickles import machine, unpickling

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")


def _doubled(first: bytes, twice: bytes) -> bytes:
    """A value that holds the one before it twice, 60 times over: 2**60 of the first."""
    steps = (twice.replace(b"?", b"h%c" % place) + b"q%c" % (place + 1) for place in range(60))
    return b"\x80\x02](" + first + b"q\x00" + b"".join(steps) + b"eh\x3c\x86."


MEGABYTE = text("x" * 10**6)


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

"""Arrays and calls in a pickle that NumPy and Python do not write are refused, before anything is made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hostile_pickles import F4, NUMBERS, OBJECT, cases, load, refused
from torch_archives import called, integer, integers, name, text, value

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")


def _array(shape: bytes, dtype: bytes, content: bytes, flag: bytes = b"\x89") -> bytes:
    return NUMBERS + b"(K\x01" + shape + dtype + flag + content + b"tb."


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

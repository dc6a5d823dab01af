"""Protobuf's encoding, as far as ONNX needs it: a message is its fields, one behind the other.

A field is its number and wire type in one varint, then its value: a varint (wire type 0), four bytes (type 5), or a
length and as many bytes (type 2), which are text, numbers or a message. A repeated field is written once for each
entry. https://protobuf.dev/programming-guides/encoding/
"""

import struct

_VARINT, _BYTES, _FOUR_BYTES = 0, 2, 5


def varint(number: int) -> bytes:
    """Return an int64 in groups of seven bits, the lowest first; the top bit of a byte says that another follows."""
    rest = number % 2**64  # a negative number is written as its two's complement
    encoded = bytearray()
    while rest > 127:
        encoded.append(rest % 128 + 128)
        rest //= 128
    encoded.append(rest)
    return bytes(encoded)


def integer(field: int, value: int) -> bytes:
    """Return a field that holds an integer."""
    return varint(field << 3 | _VARINT) + varint(value)


def number(field: int, value: float) -> bytes:
    """Return a field that holds a float32."""
    return varint(field << 3 | _FOUR_BYTES) + struct.pack("<f", value)


def content(field: int, value: bytes | str) -> bytes:
    """Return a field that holds bytes, text in UTF-8, or a message."""
    encoded = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | _BYTES) + varint(len(encoded)) + encoded

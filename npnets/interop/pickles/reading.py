"""The bytes of a pickle, read from the front: fixed counts, counted parts, and lines of text."""

import re

from npnets.files.fault import Fault

LONGEST_INTEGER = 1024
"""The longest integer, in bytes or in digits: Python writes no longer one as text."""

_LONGEST_NAME, _LONGEST_PLACE = 200, 20
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.?))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"'": b"'", b'"': b'"'}


class Reading:
    """A place in a pickle.

    Parameters
    ----------
    pickle : bytes
    at : int
        Where to begin.
    """

    __slots__ = ("at", "pickle")

    def __init__(self, pickle: bytes, at: int = 0) -> None:
        self.pickle, self.at = pickle, at

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        part = self.pickle[self.at : self.at + count]
        if len(part) < count:
            raise Fault("its pickle breaks off; the file is damaged")
        self.at += count
        return part

    def number(self, width: int) -> int:
        """Return the next bytes as a number from 0 on."""
        return int.from_bytes(self.take(width), "little")

    def integer(self, length: int) -> int:
        """Return the next bytes as an integer of either sign."""
        if length > LONGEST_INTEGER:
            raise Fault(f"its pickle has an integer of {length} bytes, more than the {LONGEST_INTEGER} that are read")
        return int.from_bytes(self.take(length), "little", signed=True)

    def line(self, what: str, longest: int | None = _LONGEST_NAME) -> bytes:
        """Return the bytes up to the end of the line, which is at most so far away."""
        farthest = len(self.pickle) if longest is None else self.at + longest
        end = self.pickle.find(b"\n", self.at, farthest)
        if end < 0:
            raise Fault(f"its pickle has {what} without an end; the file is damaged")
        return self.take(end + 1 - self.at)[:-1]

    def name(self) -> str:
        """Return a line that is a part of a name."""
        return decoded(self.line("a name"))

    def line_number(self, longest: int = LONGEST_INTEGER) -> int:
        """Return a line that is an integer; a long one ends in L."""
        line = self.line("a number", longest)
        try:
            return int(line[:-1] if line.endswith(b"L") else line)
        except ValueError:
            raise Fault(f"its pickle has {line[:20]!r} where an integer must be; the file is damaged") from None

    def place(self) -> int:
        """Return a line that is a number in the memo."""
        return self.line_number(_LONGEST_PLACE)

    def line_float(self) -> float:
        """Return a line that is a number."""
        line = self.line("a number")
        try:
            return float(line)
        except ValueError:
            raise Fault(f"its pickle has {line[:20]!r} where a number must be; the file is damaged") from None

    def line_text(self) -> str:
        """Return a line of text, as protocol 0 writes it."""
        line = self.line("text", None)
        try:
            return line.decode("raw-unicode-escape")
        except UnicodeDecodeError:
            raise Fault(f"its pickle has text that is none, {line[:20]!r}; the file is damaged") from None

    def line_quoted(self) -> str | bytes:
        """Return the string of Python 2 that a line quotes."""
        line = self.line("text", None)
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise Fault(f"its pickle has {line[:20]!r} where quoted text must be; the file is damaged")
        return of_python_2(_ESCAPE.sub(_unescaped, line[1:-1]))


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1].decode())
    if match[2] not in _ESCAPED:
        raise Fault(f"its pickle has quoted text with {match[0]!r}, which Python 2 does not write; the file is damaged")
    return _ESCAPED[match[2]]


def decoded(part: bytes) -> str:
    """Return bytes as text."""
    try:
        return part.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Fault(f"its pickle has text that is no UTF-8, {part[:20]!r}; the file is damaged") from None


def of_python_2(part: bytes) -> str | bytes:
    """Return a string of Python 2: text where it is ASCII, which names are, and else bytes, which arrays are."""
    return part.decode("ascii") if part.isascii() else part

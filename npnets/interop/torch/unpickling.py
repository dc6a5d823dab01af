"""A restricted unpickler for PyTorch's files: only the instructions that containers, numbers, text and tensors need.

A pickle is a program for a stack machine. Python's own unpickler can call anything, and take memory out of all
proportion to the file. In this one, of pickle's protocol 2, a name in the pickle is a `Name` and never an object of
Python, and a call is looked up in a table of constructors. Every instruction takes a constant amount of time and
memory, besides the bytes that it copies from the pickle, and their number is limited.
"""

import struct
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from npnets.files.fault import Fault
from npnets.files.limits import MOST_VALUES

MOST_BYTES = 32 * 2**20
"""The longest pickle. A tensor takes some 200 bytes of it; its values are not in the pickle."""

MOST_STEPS = 2_000_000
"""The most instructions. A tensor takes about 30, so that more than 60,000 tensors fit."""

MOST_NUMBERED = 2**16
"""The most integer keys, in all dicts. Integers can be chosen so that a dict takes quadratic time; text cannot."""

MOST_ARGUMENTS = 16
"""The most arguments of a call. PyTorch gives at most 8; many, given repeatedly, would take quadratic time."""

_LONGEST_NAME = 200
_STOP = ord(".")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the pickle, such as `torch.FloatStorage`: only its text, nothing is imported."""

    path: str


def run(
    pickle: bytes,
    constructors: Mapping[str, Callable[..., Any]],
    names: Container[str],
    stored: Callable[[object], object],
    unknown: Callable[[str], Fault],
) -> object:
    """Return the value of a pickle, whose containers may share others many times, or hold themselves.

    Parameters
    ----------
    pickle : bytes
    constructors : mapping of callables
        The functions that the pickle may call, by their full names in it. Their arguments can be of any type, at most
        `MOST_ARGUMENTS`; they must take constant time.
    names : container of str
        Further names that may stand in the pickle, but not be called.
    stored : callable
        Returns the object for a persistent identifier.
    unknown : callable
        Returns the error for any other name.

    Raises
    ------
    Fault
        If the pickle is damaged, has other names or instructions, or is too long.
    """
    if len(pickle) > MOST_BYTES:
        raise Fault(f"its pickle has {len(pickle)} bytes, more than the {MOST_BYTES} that are read")
    return _Machine(pickle, constructors, names, stored, unknown).run()


@dataclass
class _Machine:
    """The stack, the memo, and one method for each group of instructions."""

    pickle: bytes
    constructors: Mapping[str, Callable[..., Any]]
    names: Container[str]
    stored: Callable[[object], object]
    unknown: Callable[[str], Fault]
    at: int = 0
    stack: list[object] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: list[object] = field(default_factory=list)
    numbered: int = 0
    containers: int = 0

    def run(self) -> object:
        for _ in range(MOST_STEPS):
            code = self.take(1)[0]
            if code == _STOP:
                return self.result()
            if code not in _INSTRUCTIONS:
                raise Fault(f"its pickle has the instruction {bytes([code])!r}, which no tensor or plain value needs")
            _INSTRUCTIONS[code](self)
        raise Fault(f"its pickle has more than {MOST_STEPS} instructions, more than are read")

    def result(self) -> object:
        value = self.pop()
        if self.stack or self.marks or self.at != len(self.pickle):
            raise Fault("its pickle does not end with one value; the file is damaged")
        return value

    # -- bytes and the stack

    def take(self, count: int) -> bytes:
        part = self.pickle[self.at : self.at + count]
        if len(part) < count:
            raise Fault("its pickle breaks off; the file is damaged")
        self.at += count
        return part

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def line(self) -> str:
        end = self.pickle.find(b"\n", self.at, self.at + _LONGEST_NAME)
        if end < 0:
            raise Fault("its pickle has a name without an end; the file is damaged")
        return _decoded(self.take(end + 1 - self.at)[:-1])

    def push(self, value: object) -> None:
        self.stack.append(value)

    def push_new(self, container: object) -> None:
        self.containers += 1
        if self.containers > MOST_VALUES:
            raise Fault(f"its pickle has more than {MOST_VALUES} containers, more than are read")
        self.stack.append(container)

    def pop(self) -> object:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Fault("its pickle takes a value that is not there; the file is damaged")
        return self.stack.pop()

    def pop_container(self, kind: type) -> Any:
        value = self.pop()
        if type(value) is not kind:
            raise Fault(f"its pickle fills or calls with a {type(value).__name__} where a {kind.__name__} must be")
        return value

    def pop_marked(self) -> list[object]:
        if not self.marks:
            raise Fault("its pickle takes a group of values that is not there; the file is damaged")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    # -- values

    def protocol(self) -> None:
        if (version := self.number(1)) != 2:
            raise Fault(
                f"its pickle has protocol {version}; save without pickle_protocol, then torch.save writes protocol 2"
            )

    def integer(self) -> None:
        self.push(int.from_bytes(self.take(4), "little", signed=True))

    def long(self) -> None:
        self.push(int.from_bytes(self.take(self.number(1)), "little", signed=True))

    def floating(self) -> None:
        self.push(struct.unpack(">d", self.take(8))[0])

    def text(self) -> None:
        self.push(_decoded(self.take(self.number(4))))

    def few(self, count: int) -> None:
        self.push_new(tuple([self.pop() for _ in range(count)][::-1]))

    # -- the memo

    def remember(self, width: int) -> None:
        place = self.number(width)
        if place != len(self.memo):  # every pickler counts, and no other number can then take memory
            raise Fault(f"its pickle remembers a value as number {place}, out of turn; the file is damaged")
        value = self.pop()
        self.memo.append(value)
        self.push(value)

    def recall(self, width: int) -> None:
        place = self.number(width)
        if place >= len(self.memo):
            raise Fault(f"its pickle recalls value number {place}, but has {len(self.memo)} so far; it is damaged")
        self.push(self.memo[place])

    # -- containers

    def append(self) -> None:
        value = self.pop()
        self.fill_list([value])

    def fill_list(self, values: list[object]) -> None:
        target = self.pop_container(list)
        target.extend(values)
        self.push(target)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.fill_dict([key, value])

    def fill_dict(self, values: list[object]) -> None:
        target = self.pop_container(dict)
        for key, value in _pairs(values):
            self.check_key(key)
            if key in target:  # or a key of megabytes could be compared repeatedly
                raise Fault("its pickle has a dict with one key twice; the file is damaged")
            target[key] = value
        self.push(target)

    def check_key(self, key: object) -> None:
        if type(key) is str:
            return
        if type(key) is not int or not -(2**31) <= key < 2**31:
            raise Fault(f"its pickle has a dict with a {type(key).__name__} as a key, not text or a small integer")
        self.numbered += 1
        if self.numbered > MOST_NUMBERED:
            raise Fault(f"its pickle has more than {MOST_NUMBERED} integers as keys, more than are read")

    # -- names and calls

    def name(self) -> None:
        path = f"{self.line()}.{self.line()}"
        if path not in self.constructors and path not in self.names:
            raise self.unknown(path)
        self.push(Name(path))

    def call(self) -> None:
        arguments = self.pop_container(tuple)
        name = self.pop()
        if type(name) is not Name or name.path not in self.constructors:
            what = name.path if type(name) is Name else f"a {type(name).__name__}"
            raise Fault(f"its pickle calls {what}, which cannot be called; the file is damaged or malicious")
        if len(arguments) > MOST_ARGUMENTS:
            many = f"{len(arguments)} arguments, more than {MOST_ARGUMENTS}"
            raise Fault(f"its pickle calls {name.path} with {many}; the file is damaged or malicious")
        self.push(self.constructors[name.path](arguments))

    def drop_attributes(self) -> None:
        """Drop the attribute `_metadata` of a module's state dict; only dicts can have attributes."""
        self.pop_container(dict)
        self.push(self.pop_container(dict))

    def look_up_stored(self) -> None:
        self.push(self.stored(self.pop()))


def _decoded(part: bytes) -> str:
    try:
        return part.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Fault(f"its pickle has text that is no UTF-8, {part[:20]!r}; the file is damaged") from None


def _pairs(values: list[object]) -> Iterator[tuple[object, object]]:
    if len(values) % 2:
        raise Fault("its pickle has a dict with a key without a value; the file is damaged")
    return zip(values[::2], values[1::2], strict=True)


_INSTRUCTIONS: dict[int, Callable[[_Machine], None]] = {
    ord(code): instruction
    for code, instruction in {
        "\x80": _Machine.protocol,
        "(": lambda machine: machine.marks.append(len(machine.stack)),
        "N": lambda machine: machine.push(None),
        "\x88": lambda machine: machine.push(True),
        "\x89": lambda machine: machine.push(False),
        "K": lambda machine: machine.push(machine.number(1)),
        "M": lambda machine: machine.push(machine.number(2)),
        "J": _Machine.integer,
        "\x8a": _Machine.long,
        "G": _Machine.floating,
        "X": _Machine.text,
        ")": lambda machine: machine.push(()),
        "\x85": lambda machine: machine.few(1),
        "\x86": lambda machine: machine.few(2),
        "\x87": lambda machine: machine.few(3),
        "t": lambda machine: machine.push_new(tuple(machine.pop_marked())),
        "]": lambda machine: machine.push_new([]),
        "a": _Machine.append,
        "e": lambda machine: machine.fill_list(machine.pop_marked()),
        "}": lambda machine: machine.push_new({}),
        "s": _Machine.set_item,
        "u": lambda machine: machine.fill_dict(machine.pop_marked()),
        "q": lambda machine: machine.remember(1),
        "r": lambda machine: machine.remember(4),
        "h": lambda machine: machine.recall(1),
        "j": lambda machine: machine.recall(4),
        "c": _Machine.name,
        "R": _Machine.call,
        "b": _Machine.drop_attributes,
        "Q": _Machine.look_up_stored,
    }.items()
}
"""By opcode, as Python's module `pickletools` lists them."""

"""The instructions of pickles of protocols 0 to 5, and the loop that runs them on a `Machine`.

Left out are instructions that reach outside the pickle: numbers of registered names, and buffers of their own.
"""

import struct
from collections.abc import Callable, Container, Mapping
from typing import Any

from npnets.files.fault import Fault
from npnets.interop.pickles.machine import MOST_ARGUMENTS, Machine
from npnets.interop.pickles.objects import Set
from npnets.interop.pickles.reading import Reading, decoded, of_python_2

MOST_BYTES = 2**30
"""The longest pickle."""

MOST_STEPS = 2_000_000
"""The most instructions. A tensor takes about 30, so that more than 60,000 tensors fit."""

_STOP, _NEWEST = ord("."), 5


def run(
    pickle: bytes,
    constructors: Mapping[str, Callable[..., Any]],
    names: Container[str],
    stored: Callable[[object], object],
    unknown: Callable[[str], Fault] | None,
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
    unknown : callable, optional
        Returns the error for any other name. Without it, what the pickle makes with these names is an `Instance`.

    Raises
    ------
    Fault
        If the pickle is damaged, has other names or instructions, or is too long.
    """
    value, end = run_first(pickle, 0, constructors, names, stored, unknown)
    if end != len(pickle):
        raise Fault("its pickle does not end with one value; the file is damaged")
    return value


def run_first(
    pickle: bytes,
    start: int,
    constructors: Mapping[str, Callable[..., Any]],
    names: Container[str],
    stored: Callable[[object], object],
    unknown: Callable[[str], Fault] | None,
) -> tuple[object, int]:
    """Return the value of a pickle that begins somewhere in some bytes, and where it ends."""
    if len(pickle) > MOST_BYTES:
        raise Fault(f"its pickle has {len(pickle)} bytes, more than the {MOST_BYTES} that are read")
    machine = Machine(Reading(pickle, start), constructors, names, stored, unknown)
    for _ in range(MOST_STEPS):
        code = machine.reading.take(1)[0]
        if code == _STOP:
            return machine.result(), machine.reading.at
        if code not in _INSTRUCTIONS:
            raise Fault(f"its pickle has the instruction {bytes([code])!r}, {_UNREAD.get(code, 'which there is not')}")
        _INSTRUCTIONS[code](machine)
    raise Fault(f"its pickle has more than {MOST_STEPS} instructions, more than are read")


def _protocol(machine: Machine) -> None:
    if (version := machine.reading.number(1)) > _NEWEST:
        raise Fault(f"its pickle has protocol {version}; protocols 0 to {_NEWEST} are read")


def _frame(machine: Machine) -> None:
    """Check that a frame is there; its bytes are read as all others are."""
    length, left = machine.reading.number(8), len(machine.reading.pickle) - machine.reading.at
    if length > left:
        raise Fault(f"its pickle breaks off: it announces {length} bytes, and {left} are left; the file is damaged")


def _counted(width: int) -> Callable[[Machine], bytes]:
    return lambda machine: machine.reading.take(machine.reading.number(width))


def _text(width: int) -> Callable[[Machine], None]:
    part = _counted(width)
    return lambda machine: machine.push(decoded(part(machine)))


def _bytes(width: int) -> Callable[[Machine], None]:
    part = _counted(width)
    return lambda machine: machine.push(part(machine))


def _old_text(width: int) -> Callable[[Machine], None]:
    part = _counted(width)
    return lambda machine: machine.push(of_python_2(part(machine)))


def _line_integer(machine: Machine) -> None:
    start = machine.reading.at
    number = machine.reading.line_number()
    line = machine.reading.pickle[start : start + 3]
    machine.push({b"00\n": False, b"01\n": True}.get(line, number))


def _global(machine: Machine) -> None:
    machine.push_name(machine.reading.name(), machine.reading.name())


def _stack_global(machine: Machine) -> None:
    attribute, module = machine.pop(), machine.pop()
    machine.push_name(module, attribute)


def _reduce(machine: Machine) -> None:
    arguments = machine.pop_kind(tuple)
    machine.call(machine.pop(), arguments)


def _new_by_name(machine: Machine) -> None:
    keywords = machine.pop_kind(dict)
    arguments = machine.pop_kind(tuple)
    if keywords and len(arguments) > MOST_ARGUMENTS:  # which are copied
        raise Fault(f"its pickle makes an object with {len(arguments)} arguments and more by name, more than are read")
    machine.call(machine.pop(), (*arguments, keywords) if keywords else arguments)


def _inst(machine: Machine) -> None:
    _global(machine)
    callee = machine.pop()
    machine.call(callee, tuple(machine.pop_marked()))


def _obj(machine: Machine) -> None:
    callee, *arguments = machine.pop_marked() or [None]
    machine.call(callee, tuple(arguments))


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.fill_dict([key, value])


def _marked_dict(machine: Machine) -> None:
    values = machine.pop_marked()
    machine.push_new({})
    machine.fill_dict(values)


_BUFFERS = "for buffers outside the pickle, which are not in the file; pickle without buffer_callback"
_REGISTERED = "for a number of a registered name, which is not in the file"
_UNREAD = {0x97: _BUFFERS, 0x98: _BUFFERS, 0x82: _REGISTERED, 0x83: _REGISTERED, 0x84: _REGISTERED}
"""The reasons for which instructions are not read."""

_INSTRUCTIONS: dict[int, Callable[[Machine], object]] = {
    ord(code): instruction
    for code, instruction in {
        "\x80": _protocol,
        "\x95": _frame,
        "(": Machine.mark,
        "0": Machine.drop,
        "1": Machine.pop_marked,
        "2": Machine.duplicate,
        # plain values
        "N": lambda machine: machine.push(None),
        "\x88": lambda machine: machine.push(True),
        "\x89": lambda machine: machine.push(False),
        "I": _line_integer,
        "L": lambda machine: machine.push(machine.reading.line_number()),
        "K": lambda machine: machine.push(machine.reading.number(1)),
        "M": lambda machine: machine.push(machine.reading.number(2)),
        "J": lambda machine: machine.push(machine.reading.integer(4)),
        "\x8a": lambda machine: machine.push(machine.reading.integer(machine.reading.number(1))),
        "\x8b": lambda machine: machine.push(machine.reading.integer(machine.reading.number(4))),
        "F": lambda machine: machine.push(machine.reading.line_float()),
        "G": lambda machine: machine.push(struct.unpack(">d", machine.reading.take(8))[0]),
        "V": lambda machine: machine.push(machine.reading.line_text()),
        "X": _text(4),
        "\x8c": _text(1),
        "\x8d": _text(8),
        "S": lambda machine: machine.push(machine.reading.line_quoted()),
        "T": _old_text(4),
        "U": _old_text(1),
        "B": _bytes(4),
        "C": _bytes(1),
        "\x8e": _bytes(8),
        "\x96": _bytes(8),
        # the memo
        "p": lambda machine: machine.remember(machine.reading.place()),
        "q": lambda machine: machine.remember(machine.reading.number(1)),
        "r": lambda machine: machine.remember(machine.reading.number(4)),
        "\x94": Machine.remember,
        "g": lambda machine: machine.recall(machine.reading.place()),
        "h": lambda machine: machine.recall(machine.reading.number(1)),
        "j": lambda machine: machine.recall(machine.reading.number(4)),
        # containers
        ")": lambda machine: machine.push(()),
        "\x85": lambda machine: machine.push_few(1),
        "\x86": lambda machine: machine.push_few(2),
        "\x87": lambda machine: machine.push_few(3),
        "t": lambda machine: machine.push_new(tuple(machine.pop_marked())),
        "]": lambda machine: machine.push_new([]),
        "l": lambda machine: machine.push_new(machine.pop_marked()),
        "a": lambda machine: machine.fill_list([machine.pop()]),
        "e": lambda machine: machine.fill_list(machine.pop_marked()),
        "}": lambda machine: machine.push_new({}),
        "d": _marked_dict,
        "s": _set_item,
        "u": lambda machine: machine.fill_dict(machine.pop_marked()),
        "\x8f": lambda machine: machine.push_new(Set([])),
        "\x90": lambda machine: machine.fill_set(machine.pop_marked()),
        "\x91": lambda machine: machine.push_new(Set(machine.pop_marked(), frozen=True)),
        # names and calls
        "c": _global,
        "\x93": _stack_global,
        "R": _reduce,
        "\x81": _reduce,
        "\x92": _new_by_name,
        "i": _inst,
        "o": _obj,
        "b": Machine.fill_state,
        "P": lambda machine: machine.push_stored(machine.reading.name()),
        "Q": lambda machine: machine.push_stored(machine.pop()),
    }.items()
}
"""By opcode, as Python's module `pickletools` lists them."""

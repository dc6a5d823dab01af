"""The stack machine of pickles, without its table of instructions: the stack, the memo, containers and calls.

A call is looked up in a table of constructors. Any other name is an error, or makes an inert `Instance`.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from npnets.files.fault import Fault
from npnets.files.limits import MOST_VALUES
from npnets.files.quoting import plain
from npnets.interop.pickles.objects import Instance, Name, OddKey, Set
from npnets.interop.pickles.reading import Reading

MOST_NUMBERED = 2**16
"""The most integer keys, in all dicts. Integers can be chosen so that a dict takes quadratic time; text cannot."""

MOST_ARGUMENTS = 16
"""The most arguments of a constructor. PyTorch gives at most 8; many, given repeatedly, would take quadratic time."""

_LONGEST_PATH = 400

Kind = TypeVar("Kind")


@runtime_checkable
class Unfinished(Protocol):
    """A description that a later instruction completes."""

    def fill(self, state: object, /) -> None:
        """Take the state that the pickle gives."""
        ...


@dataclass
class Machine:
    """What the instructions of a pickle change.

    Parameters
    ----------
    reading : Reading
        The pickle, from its first instruction on.
    constructors : mapping of callables
        The functions that the pickle may call, by their full names in it.
    names : container of str
        Further names that may stand in the pickle, but not be called.
    stored : callable
        Returns the object for a persistent identifier.
    unknown : callable, optional
        Returns the error for any other name. Without it, these names become parts of inert objects.
    """

    reading: Reading
    constructors: Mapping[str, Callable[..., Any]]
    names: Container[str]
    stored: Callable[[object], object]
    unknown: Callable[[str], Fault] | None
    stack: list[object] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: list[object] = field(default_factory=list)
    numbered: int = 0
    containers: int = 0

    def result(self) -> object:
        """Return the one value that must be left."""
        value = self.pop()
        if self.stack or self.marks:
            raise Fault("its pickle does not end with one value; the file is damaged")
        return value

    # -- the stack

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def push_new(self, container: object) -> None:
        """Put a new container on the stack."""
        self.containers += 1
        if self.containers > MOST_VALUES:
            raise Fault(f"its pickle has more than {MOST_VALUES} containers, more than are read")
        self.stack.append(container)

    def pop(self) -> object:
        """Take a value from the stack."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Fault("its pickle takes a value that is not there; the file is damaged")
        return self.stack.pop()

    def pop_kind(self, kind: type[Kind]) -> Kind:
        """Take a value of a kind from the stack."""
        value = self.pop()
        if type(value) is not kind:
            raise Fault(f"its pickle fills or calls with a {type(value).__name__} where a {kind.__name__} must be")
        return value

    def mark(self) -> None:
        """Begin a group of values."""
        self.marks.append(len(self.stack))

    def pop_marked(self) -> list[object]:
        """Take a group of values from the stack."""
        if not self.marks:
            raise Fault("its pickle takes a group of values that is not there; the file is damaged")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def drop(self) -> None:
        """Drop the value on top, or the beginning of a group without values."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def duplicate(self) -> None:
        """Repeat the value on top."""
        value = self.pop()
        self.stack += [value, value]

    def push_few(self, count: int) -> None:
        """Join a few values into a tuple."""
        self.push_new(tuple([self.pop() for _ in range(count)][::-1]))

    # -- the memo

    def remember(self, place: int | None = None) -> None:
        """Remember the value on top; every pickler counts, from 0 or 1 on, and no other number can take memory."""
        if place == 1 and not self.memo:
            self.memo.append(None)  # as Python 2 wrote
        if place is not None and place != len(self.memo):
            raise Fault(f"its pickle remembers a value as number {place}, out of turn; the file is damaged")
        value = self.pop()
        self.memo.append(value)
        self.push(value)

    def recall(self, place: int) -> None:
        """Put a remembered value on the stack."""
        if not 0 <= place < len(self.memo):
            raise Fault(f"its pickle recalls value number {place}, but has {len(self.memo)} so far; it is damaged")
        self.push(self.memo[place])

    # -- containers

    def fill_list(self, values: list[object]) -> None:
        """Append values to a list."""
        target = self.pop()
        if isinstance(target, Instance):
            target.members.extend(values)
            return self.push(target)
        self.push(target)
        self.pop_kind(list).extend(values)
        return self.push(target)

    def fill_set(self, values: list[object]) -> None:
        """Put values into a set."""
        target = self.pop_kind(Set)
        target.members.extend(values)
        self.push(target)

    def fill_dict(self, values: list[object]) -> None:
        """Put entries into a dict."""
        target = self.pop()
        if not isinstance(target, Instance):
            self.push(target)
            self.pop_kind(dict)
        self.enter(target.entries if isinstance(target, Instance) else cast(dict[object, object], target), values)
        self.push(target)

    def enter(self, target: dict[object, object], values: list[object]) -> None:
        """Put entries into a dict, given as keys and values in turn."""
        for given, value in _pairs(values):
            key = self.checked_key(given)
            if key in target:  # or a key of megabytes could be compared repeatedly
                raise Fault("its pickle has a dict with one key twice; the file is damaged")
            target[key] = value

    def checked_key(self, key: object) -> object:
        """Return a key that takes constant time in a dict."""
        if type(key) is str:
            return key
        if type(key) is not int or not -(2**31) <= key < 2**31:
            if self.unknown is None:
                return OddKey(key)
            raise Fault(f"its pickle has a dict with a {type(key).__name__} as a key, not text or a small integer")
        self.numbered += 1
        if self.numbered > MOST_NUMBERED:
            raise Fault(f"its pickle has more than {MOST_NUMBERED} integers as keys, more than are read")
        return key

    # -- names and calls

    def push_name(self, module: object, attribute: object) -> None:
        """Put a name on the stack."""
        if type(module) is not str or type(attribute) is not str or len(module) + len(attribute) > _LONGEST_PATH:
            raise Fault("its pickle has a name that is no text, or is too long; the file is damaged")
        path = f"{module}.{attribute}"
        if self.unknown is not None and path not in self.constructors and path not in self.names:
            raise self.unknown(path)
        self.push(Name(path))

    def call(self, callee: object, arguments: tuple[object, ...]) -> None:
        """Put the value of a call on the stack."""
        if self.unknown is None and isinstance(callee, Instance):  # a function that another function makes
            return self.push_new(Instance(f"{callee.path.removesuffix('()')}()", arguments))
        if type(callee) is not Name or (callee.path not in self.constructors and not self.makes_objects(callee.path)):
            what = plain(callee.path) if type(callee) is Name else f"a {type(callee).__name__}"
            raise Fault(f"its pickle calls {what}, which cannot be called; the file is damaged or malicious")
        if callee.path not in self.constructors:
            return self.push_new(Instance(callee.path, arguments))
        if len(arguments) > MOST_ARGUMENTS:
            many = f"{len(arguments)} arguments, more than {MOST_ARGUMENTS}"
            raise Fault(f"its pickle calls {callee.path} with {many}; the file is damaged or malicious")
        return self.push_new(self.constructors[callee.path](arguments))

    def makes_objects(self, path: str) -> bool:
        """Return whether a name that is no constructor makes an inert object."""
        return self.unknown is None and path not in self.names

    def fill_state(self) -> None:
        """Give an object its state; attributes of dicts, such as `_metadata` of a state dict, are dropped."""
        state = self.pop()
        target = self.pop()
        if isinstance(target, Unfinished):
            target.fill(state)
        else:
            self.stack += [target, state]
            self.pop_kind(dict)
            self.pop_kind(dict)
        self.push(target)

    def push_stored(self, identifier: object) -> None:
        """Put an object on the stack that is not in the pickle."""
        self.push(self.stored(identifier))


def _pairs(values: list[object]) -> Iterator[tuple[object, object]]:
    if len(values) % 2:
        raise Fault("its pickle has a dict with a key without a value; the file is damaged")
    return zip(values[::2], values[1::2], strict=True)

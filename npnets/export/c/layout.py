"""Where each value of a program lies in C: in an argument, in a constant, or in one of a few buffers on the stack.

A value is *born* at the operation that computes it and *dies* at the last one that reads it; times are indices of
operations. A slice lies inside the vector that it is cut from, and the parts of a concatenation inside the whole: the
outermost vector is the *root* of all of them. A buffer is used again once its root is dead, and an operation that reads
an entry before it writes the same one overwrites its input, if that dies there. Outputs are computed in the caller's
arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from npnets.export.program import (
    Activate,
    Affine,
    Clip,
    Combine,
    Concatenate,
    Constant,
    CumulativeSum,
    LayerNorm,
    Lstm,
    Normalize,
    Operation,
    Port,
    Program,
    Repeat,
    Slice,
    Softmax,
    Value,
)
from npnets.export.pruning import arguments, results

STATE = "state"
"""The argument that holds what a recurrent program carries from step to step."""


class Place(NamedTuple):
    """A part of an array of C, from an offset on, to which an expression such as `i * 4` may be added."""

    array: str
    offset: int = 0
    row: str = ""

    def at(self, index: str | int) -> str:
        """Return the expression of an entry."""
        offset = self.offset + index if isinstance(index, int) else self.offset
        terms = [str(offset)] * bool(offset) + [self.row] * bool(self.row)
        terms += [index] if isinstance(index, str) else []
        return f"{self.array}[{' + '.join(terms) or '0'}]"

    @property
    def pointer(self) -> str:
        """The expression of the address of the first entry."""
        return f"{self.array} + {self.offset}" if self.offset else self.array

    def rows(self, index: str, size: int) -> "Place":
        """Return a row, by its index, of rows of a size that lie one behind the other."""
        return self._replace(row=f"{index} * {size}")


class Buffer(NamedTuple):
    """A scratch array on the stack."""

    name: str
    kind: str
    size: int


class Copy(NamedTuple):
    """What is left to do at the end: a value that could not be computed where the caller expects it."""

    value: Value
    to: Place


@dataclass
class Layout:
    """The place of every value, by name, and the scratch buffers."""

    operations: tuple[Operation, ...]
    places: dict[str, Place] = field(default_factory=dict)
    gates: dict[str, Place] = field(default_factory=dict)
    """The scratch of an LSTM, by the name of its output."""
    buffers: list[Buffer] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)

    def of(self, value: Value) -> Place:
        """Return the place of a value."""
        return self.places[value.name]


def arrange(program: Program, constants: Mapping[str, str]) -> Layout:
    """Return where each value of a program lies; `constants` has the arrays of its `Constant` values, by name."""
    return _Arrangement(program, constants).layout


def destinations(program: Program) -> list[tuple[Port, Place]]:
    """Return every output of a program, the states after a step among them, with the caller's array for it."""
    outputs = [(port, Place(port.name)) for port in program.outputs]
    return outputs + [(state.after, _member(state.after)) for state in program.states]


def _member(port: Port) -> Place:
    return Place(f"{STATE}->{port.name}")


def _overwritable(operation: Operation, output: Value) -> tuple[Value, ...]:
    """Return the inputs whose every entry is read before the same one of `output` is written, and never again."""
    if isinstance(operation, (Activate, Affine, Clip, CumulativeSum, LayerNorm, Normalize, Softmax)):
        return (operation.x,)
    if isinstance(operation, Combine):
        return operation.x, operation.y
    if isinstance(operation, Lstm):
        return (operation.hidden,) if output is operation.output else (operation.cell,)
    return ()


def _copied(program: Program) -> tuple[tuple[Operation, ...], list[tuple[Value, Place]]]:
    """Return the operations, and the value of every output: each computed, and for one output alone.

    An output that is an input, a constant, a slice, or another output as well, becomes a copy of it.
    """
    plain = {value.name for op in program.operations if not isinstance(op, (Constant, Slice)) for value in results(op)}
    copies: list[Operation] = []
    targets = []
    for index, (port, place) in enumerate(destinations(program)):
        value = port.value
        if value.name not in plain:
            value = Value(f"copy_{index} of {value.name}", value.size, value.kind)
            copies.append(Repeat(value, port.value))
        plain.discard(value.name)
        targets.append((value, place))
    return (*program.operations, *copies), targets


class _Arrangement:
    """The work of `arrange`."""

    def __init__(self, program: Program, constants: Mapping[str, str]) -> None:
        operations, self.targets = _copied(program)
        self.layout = Layout(operations)
        self.values = {value.name: value for op in operations for value in (*arguments(op), *results(op))}
        self.outputs = {value.name for value, _ in self.targets}
        self.inside: dict[str, tuple[str, int]] = {}
        self.given = {name: Place(array) for name, array in constants.items()}
        self.given |= {port.value.name: Place(port.name) for port in program.inputs}
        self.given |= {state.before.value.name: _member(state.before) for state in program.states}
        self.buffered: dict[str, int] = {}
        self.free_after: list[int] = []
        self._find_roots()
        self._find_lifetimes()
        self._place_outputs(program)
        self._place_in_buffers()
        used = {name: value for name, value in self.values.items() if self._is_used(value)}
        self.layout.places.update({name: self._place(value) for name, value in used.items()})

    # -- roots and lifetimes ------------------------------------------------------------------------------------------

    def _find_roots(self) -> None:
        computed = {
            value.name
            for op in self.layout.operations
            if not isinstance(op, (Constant, Slice))
            for value in results(op)
        }
        for op in self.layout.operations:
            if isinstance(op, Slice):
                self.inside[op.output.name] = (op.x.name, op.start)
            elif isinstance(op, Concatenate):
                self._put_inside(op, computed - self.outputs)

    def _put_inside(self, op: Concatenate, computed: set[str]) -> None:
        """Let the parts of a concatenation that are computed, and lie in no other one, be computed in their place."""
        offset = 0
        for part in op.parts:
            if part.name in computed and part.name not in self.inside:
                self.inside[part.name] = (op.output.name, offset)
            offset += part.size

    def root(self, value: Value) -> tuple[str, int]:
        """Return the name of the outermost vector that a value lies in, and its offset there."""
        name, offset = value.name, 0
        while name in self.inside:
            name, further = self.inside[name]
            offset += further
        return name, offset

    def _find_lifetimes(self) -> None:
        self.born: dict[str, int] = {}
        self.dies: dict[str, int] = {}
        for time, op in enumerate(self.layout.operations):
            for value in (*arguments(op), *results(op)):
                name, _ = self.root(value)
                self.born.setdefault(name, time)
                self.dies[name] = time
        for value, _ in self.targets:
            self.dies[self.root(value)[0]] = len(self.layout.operations)

    def _is_used(self, value: Value) -> bool:
        """Return whether anything reads a value: of the two of an LSTM, one may be all that a program needs."""
        name, _ = self.root(value)
        return name in self.given or self.dies[name] > self.born[name]

    def _overwritten(self, output: Value) -> Value | None:
        """Return the input in whose place the operation of `output` may put it, if there is one that dies there."""
        time = self.born[output.name]
        op = self.layout.operations[time]
        inputs = _overwritable(op, output) if output in results(op) else ()
        dead = (x for x in inputs if self.root(x) == (x.name, 0) and self.dies[x.name] == time)
        return next((x for x in dead if x.size == output.size), None)

    # -- arrays of the caller -----------------------------------------------------------------------------------------

    def _place_outputs(self, program: Program) -> None:
        """Compute outputs in the caller's arrays, and states in place of those before the step, where that is safe."""
        before = {_member(state.before): state.before.value for state in program.states}
        for value, place in self.targets:
            state = before.get(place)
            if state is None or self._may_overwrite(state, value):
                self._give(value, place, -1 if state is None else self.dies.get(state.name, -1))
            else:
                self.layout.copies.append(Copy(value, place))

    def _may_overwrite(self, state: Value, output: Value) -> bool:
        """Return whether every entry of a state is read for the last time before the new one is written."""
        for time, op in enumerate(self.layout.operations):
            for value in results(op):
                root, offset = self.root(value)
                if root == output.name and not self._is_read_before(state, time, value, offset):
                    return False
        return True

    def _is_read_before(self, state: Value, time: int, output: Value, offset: int) -> bool:
        """Return whether the entries of a state from an offset on are not read once `output` is written to them."""
        for later, op in enumerate(self.layout.operations[time:], start=time):
            for value in () if isinstance(op, Slice) else arguments(op):
                root, start = self.root(value)
                if root != state.name or start + value.size <= offset or offset + output.size <= start:
                    continue
                in_place = start == offset and value.size == output.size and value in _overwritable(op, output)
                if later > time or not in_place:
                    return False
        return True

    def _give(self, output: Value, place: Place, free_after: int) -> None:
        """Place an output in the caller's array, and so the values that it is computed from entry by entry."""
        x: Value | None = output
        while x is not None and x.name not in self.given:
            self.given[x.name] = place
            x = self._overwritten(x)
            if x is not None and self.born[x.name] <= free_after:
                return

    # -- buffers ------------------------------------------------------------------------------------------------------

    def _place_in_buffers(self) -> None:
        for time, op in enumerate(self.layout.operations):
            for value in results(op):
                name, _ = self.root(value)
                if name not in self.given and name not in self.buffered and self._is_used(value):
                    self.buffered[name] = self._buffer(time, self.values[name])
            if isinstance(op, Lstm):
                gates = self._take(time, time, Value("gates", 4 * op.output.size))
                self.layout.gates[op.output.name] = Place(self.layout.buffers[gates].name)

    def _buffer(self, time: int, value: Value) -> int:
        """Return the buffer of a value: that of an input that it overwrites, or a free one."""
        x = self._overwritten(value)
        if x is None or x.name not in self.buffered:
            return self._take(time, self.dies[value.name], value)
        self.free_after[self.buffered[x.name]] = self.dies[value.name]
        return self.buffered[x.name]

    def _take(self, time: int, until: int, value: Value) -> int:
        """Return a buffer that is free, the best by its size, or a new one."""
        buffers = self.layout.buffers
        free = [i for i, one in enumerate(buffers) if self.free_after[i] < time and one.kind == value.kind]
        if not free:
            buffers.append(Buffer(f"buffer_{len(buffers)}", value.kind, value.size))
            self.free_after.append(until)
            return len(buffers) - 1
        best = min(free, key=lambda i: _misfit(buffers[i].size, value.size))
        buffers[best] = buffers[best]._replace(size=max(buffers[best].size, value.size))
        self.free_after[best] = until
        return best

    def _place(self, value: Value) -> Place:
        name, offset = self.root(value)
        root = self.given[name] if name in self.given else Place(self.layout.buffers[self.buffered[name]].name)
        return Place(root.array, root.offset + offset)


def _misfit(have: int, size: int) -> tuple[bool, int]:
    """Return a key that sorts the smallest sufficient buffer first, and then the largest of the others."""
    return have < size, have if have >= size else -have

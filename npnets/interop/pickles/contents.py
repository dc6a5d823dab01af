"""A tree of plain values and arrays of bounded size, copied from the value of a pickle."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.foreign import Foreign
from npnets.interop.pickles import machine, unpickling
from npnets.interop.pickles.numpy_values import Dtype, Numbers, NumpyArrays, content_bytes
from npnets.interop.pickles.objects import Encoded, Instance, Name, OddKey, Set
from npnets.interop.pickles.wording import REMEDY, described, written

ForeignChoice: TypeAlias = Literal["error", "keep", "omit"]

MOST_DEPTH = 100
"""The deepest nesting of dicts, lists, tuples and objects."""

MOST_SHARED = 10
"""The most values in the result for each byte of the pickle, beyond some thousands: shared values are repeated."""

SPARE_BYTES = 64 * 2**20
"""The memory that arrays may take besides 8 times the size of the file."""

_PER_ARRAY = 200  # bytes that an array takes besides its numbers

_LEFT_OUT = object()


class Arrays(Protocol):
    """Makes arrays from the descriptions of some class."""

    def needed_bytes(self, description: Any, /) -> int:
        """Return how many bytes an array takes."""
        ...

    def array(self, description: Any, /) -> Any:
        """Return the array."""
        ...


class Builder:
    """Copies the value of a pickle, with arrays for their descriptions, into a tree of bounded size.

    Parameters
    ----------
    length : int
        That of the pickle in bytes.
    most_bytes : int
        The most memory that all arrays together may take.
    foreign : str
        `"error"`, `"keep"` or `"omit"`, as for `pickle_file.load`.
    arrays : dict from type to Arrays
        The makers of arrays, for the descriptions of arrays other than NumPy's.
    """

    def __init__(
        self, length: int, most_bytes: int, foreign: ForeignChoice, arrays: Mapping[type, Arrays] | None = None
    ) -> None:
        self.foreign = foreign
        self.most_bytes, self.bytes_left = most_bytes, most_bytes
        self.values_left = min(unpickling.MOST_STEPS, 10_000 + MOST_SHARED * length)
        self.members_left = machine.MOST_NUMBERED
        self.arrays: dict[type, Arrays] = {Numbers: NumpyArrays(), **(arrays or {})}
        self.open: set[int] = set()

    def root(self, value: object) -> Any:
        """Return the whole tree."""
        if (built := self.build(value, ())) is _LEFT_OUT:
            raise Fault(f"it holds {described(value)} alone, which foreign='omit' leaves out; pass foreign='keep'")
        return built

    def build(self, value: object, place: tuple[object, ...]) -> Any:
        """Return the copy of a part of the value."""
        self.values_left -= 1
        if self.values_left < 0:
            raise Fault("it has a list or dict in too many places to be repeated in each")
        if len(place) > MOST_DEPTH:
            raise Fault(f"it has more than {MOST_DEPTH} nested dicts or lists, or one that holds itself")
        kind = type(value)
        if value is None or kind in (bool, int, float, str, bytes, complex):
            return value
        if kind in self.arrays:
            return self.array(value, place)
        if kind in _BUILD:
            return _BUILD[kind](self, value, place)
        return self.foreign_name(value, place)

    def mapping(self, value: dict[Any, object], place: tuple[object, ...]) -> Any:
        """Return the copy of a dict, or the call that makes it if it has keys that are not read."""
        if self.foreign == "keep" and any(type(key) is OddKey for key in value):
            pairs = [(key.key if isinstance(key, OddKey) else key, part) for key, part in value.items()]
            return self.instance(Instance("builtins.dict", (pairs,)), place)
        return self.entries(value, place)

    def entries(self, value: dict[Any, object], place: tuple[object, ...]) -> dict[Any, Any]:
        """Return the copies of the entries of a dict."""
        copies = {}
        for key, part in value.items():
            copy = _LEFT_OUT if type(key) is OddKey else self.build(part, (*place, key))
            if copy is not _LEFT_OUT:
                copies[key] = copy
        return copies

    def members(self, value: list[object] | tuple[object, ...], place: tuple[object, ...]) -> list[Any]:
        """Return the copies of the values in a list or tuple."""
        copies = []
        for index, part in enumerate(value):
            copy = self.build(part, (*place, index))
            if copy is not _LEFT_OUT:
                copies.append(copy)
        return copies

    def set_of(self, value: Set, place: tuple[object, ...]) -> Any:
        """Return the copy of a set whose members take constant time to compare, or the call that makes it."""
        kind = frozenset if value.frozen else set
        members = self.members(value.members, place)
        odd = next((one for one in members if not _is_simple(one)), None)
        if odd is not None and self.foreign == "error":
            raise Fault(
                f"at {written(place)} it holds a set with a {type(odd).__name__}, and sets of text, bytes and small "
                f"integers are read. {REMEDY}"
            )
        self.members_left -= len(members)
        if self.members_left < 0:
            raise Fault(f"it has more than {machine.MOST_NUMBERED} members of sets, more than are read")
        if odd is not None and self.foreign == "keep":
            return Foreign(f"builtins.{kind.__name__}", None, (members,))
        return kind(one for one in members if _is_simple(one))

    def array(self, value: Any, place: tuple[object, ...]) -> Any:
        """Return the array of a description."""
        if isinstance(value, Numbers) and value.dtype is not None and not value.dtype.is_read:
            return self.unread_array(value, value.dtype, place)
        maker = self.arrays[type(value)]
        self.charge(maker.needed_bytes(value) + _PER_ARRAY, place, value)
        try:
            return maker.array(value)
        except Fault as refusal:
            raise Fault(f"at {written(place)}, {refusal}") from refusal

    def charge(self, count: int, place: tuple[object, ...], value: object) -> None:
        """Count some bytes of memory."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            shape = getattr(value, "shape", (count,))
            raise Fault(
                f"its arrays take more than {self.most_bytes} bytes of memory, much more than the file has, from "
                f"{written(place)} of shape {shape} on; if that is right, pass a larger most_bytes"
            )

    def encoded(self, value: Encoded, place: tuple[object, ...]) -> bytes:
        """Return bytes that were written as text."""
        self.charge(len(value.text), place, value)
        return content_bytes(value)

    def unread_array(self, value: Numbers, dtype: Dtype, place: tuple[object, ...]) -> Any:
        """Return a stand-in for an array or scalar of a dtype that is not read."""
        name = f"numpy.{'generic' if value.scalar else 'ndarray'}"
        if self.foreign == "error":
            raise Fault(
                f"at {written(place)} it holds a {name} of dtype {quoted(dtype.code)}; arrays of numbers are read. "
                f"{REMEDY}"
            )
        return self.instance(Instance(name, (dtype, value.shape, value.content)), place)

    def instance(self, value: Instance, place: tuple[object, ...]) -> Any:
        """Return a stand-in for an object."""
        if self.foreign == "error":
            raise Fault(f"at {written(place)} it holds {described(value)}, which is no plain value. {REMEDY}")
        if self.foreign == "omit":
            return _LEFT_OUT
        if id(value) in self.open:
            return Foreign(value.path)
        self.open.add(id(value))
        state = self.build(value.state, (*place, "state"))
        arguments = self.build(value.arguments, (*place, "arguments"))
        items = self.mapping(value.entries, place) if value.entries else self.members(value.members, place)
        self.open.remove(id(value))
        return Foreign(value.path, state, arguments, items or None)

    def dtype(self, value: Dtype, place: tuple[object, ...]) -> Any:
        """Return a dtype, or a stand-in for one of objects, structures, text or dates."""
        if value.is_read:
            return value.dtype
        return self.instance(Instance("numpy.dtype", (value.code,), value.details), place)

    def foreign_name(self, value: object, place: tuple[object, ...]) -> Any:
        """Return a stand-in for a name, or for a storage without a tensor."""
        if self.foreign == "error":
            raise Fault(f"at {written(place)} it holds {described(value)}, which is neither a tensor nor a plain value")
        if self.foreign == "omit":
            return _LEFT_OUT
        return Foreign(value.path if isinstance(value, Name) else "torch.Storage")


_BUILD: dict[type, Callable[[Builder, Any, tuple[object, ...]], Any]] = {
    dict: Builder.mapping,
    list: Builder.members,
    tuple: lambda builder, value, place: tuple(builder.members(value, place)),
    Set: Builder.set_of,
    Encoded: Builder.encoded,
    Dtype: Builder.dtype,
    Instance: Builder.instance,
}
"""The methods that copy values that are not plain, by type."""


def _is_simple(member: object) -> bool:
    """Return whether members of a set can be compared in constant time, whatever their number."""
    return type(member) in (str, bytes, bool, type(None)) or (type(member) is int and abs(member) < 2**31)


def most_bytes_by_default(length: int) -> int:
    """Return the most memory that the arrays of a file of some bytes may take."""
    return 8 * length + SPARE_BYTES

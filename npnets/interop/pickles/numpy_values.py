"""NumPy's arrays, scalars and dtypes in a pickle: their descriptions, and what is made of them.

NumPy 1 names its modules `numpy.core`, NumPy 2 `numpy._core`. Read are the numbers of all common dtypes, in either byte
order. Objects, structures, text and dates are an error that names the dtype, or become a stand-in.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.pickles.objects import Encoded, Instance, Name
from npnets.interop.pickles.shapes import empty, whole

_CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
_ORDERS = {"<": "<", ">": ">", "|": "=", "=": "="}
_LONGEST_CODE = 20


@dataclass(slots=True, eq=False)
class Dtype:
    """A dtype by its code, such as `f4`; `details` are the unit of a date, the fields of a structure, or metadata."""

    code: str
    order: str = "="
    details: object = None
    filled: bool = False

    def fill(self, state: object) -> None:
        """Take the byte order, and what only other dtypes have."""
        match state:
            case (3 | 4, str(order), None, None, None, int(), int(), int(), *metadata) if order in _ORDERS:
                self.order, self.details = _ORDERS[order], metadata or None
            case (3 | 4, str(), *_) if self.code not in _CODES:
                self.details = state
            case _:
                raise _bad("a dtype with a state")
        if self.filled:
            raise _bad("a dtype with two states")
        self.filled = True

    @property
    def is_read(self) -> bool:
        """Whether arrays of the dtype are."""
        return self.code in _CODES

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in the file."""
        return np.dtype(self.code).newbyteorder(self.order)  # type: ignore[arg-type]


@dataclass(slots=True, eq=False)
class Numbers:
    """An array, or with `scalar` a number: its dtype, its shape, and its bytes in rows or columns."""

    dtype: Dtype | None = None
    shape: tuple[int, ...] = ()
    content: object = b""
    in_columns: bool = False
    axes: tuple[int, ...] | None = None
    scalar: bool = False

    def fill(self, state: object) -> None:
        """Take the state of an array, which it is made without."""
        match state:
            case (int(), tuple(shape), Dtype() as dtype, bool(in_columns), content) if self.dtype is None:
                self.dtype, self.shape, self.in_columns, self.content = dtype, whole(shape), in_columns, content
            case _:
                raise _bad("an array with a state")

    @property
    def needed_bytes(self) -> int:
        """How many bytes the array takes, and its text before it is encoded."""
        size = math.prod(self.shape) * (self.dtype.dtype.itemsize if self.dtype and self.dtype.is_read else 1)
        return size + (len(self.content.text) if isinstance(self.content, Encoded) else 0)

    def array(self) -> Any:
        """Return the array, with memory of its own, row by row and in the machine's byte order, or the scalar."""
        if self.dtype is None:
            raise _bad("an array without a state")
        flat = self._flat(self.dtype.dtype)
        if math.prod(self.shape) == 0:
            return empty(self.shape).astype(flat.dtype)
        array = flat.reshape(self.shape, order="F" if self.in_columns else "C")
        array = array if self.axes is None else array.transpose(self.axes)
        own = np.array(array, dtype=self.dtype.dtype.newbyteorder("="), order="C")
        return own[()] if self.scalar else own

    def _flat(self, dtype: np.dtype[Any]) -> Array:
        content, count = content_bytes(self.content), math.prod(self.shape)
        if len(content) != count * dtype.itemsize:
            raise Fault(
                f"an array of shape {self.shape} and dtype {dtype.name} has {len(content)} bytes; the file is damaged"
            )
        flat: Array = np.frombuffer(content, np.uint8 if dtype.kind == "b" else dtype)
        return flat != 0 if dtype.kind == "b" else flat


def content_bytes(content: object) -> bytes:
    """Return the bytes that an array consists of."""
    if isinstance(content, bytes):
        return content
    text = content.text if isinstance(content, Encoded) else content
    try:
        return text.encode("latin1")  # type: ignore[attr-defined]
    except (AttributeError, UnicodeEncodeError):
        raise _bad(f"the bytes of an array with a {type(content).__name__}") from None


class NumpyArrays:
    """Makes arrays and scalars from NumPy's own descriptions."""

    def needed_bytes(self, description: Numbers) -> int:
        """Return how many bytes an array takes."""
        return description.needed_bytes

    def array(self, description: Numbers) -> Any:
        """Return the array or scalar."""
        return description.array()


# -- descriptions in the pickle --------------------------------------------------------------------------------------


def _dtype(arguments: tuple[object, ...]) -> Dtype:
    match arguments:
        case (str(code), *flags) if len(code) <= _LONGEST_CODE and all(type(flag) in (bool, int) for flag in flags):
            return Dtype(code)
    raise _bad("numpy.dtype with arguments")


def _reconstruct(arguments: tuple[object, ...]) -> Numbers | Instance:
    match arguments:
        case (Name("numpy.ndarray"), tuple(), _):
            return Numbers()
        case (Name(path), tuple(), _):  # a class of arrays of its own
            return Instance(path, ())
    raise _bad("_reconstruct with arguments")


def _from_buffer(arguments: tuple[object, ...]) -> Numbers:
    match arguments:
        case (bytes(content), Dtype() as dtype, tuple(shape), "C" | "F" as order):
            return Numbers(dtype, whole(shape), content, order == "F")
        case (bytes(content), Dtype() as dtype, tuple(shape), "C" | "F" | "K" as order, None):
            return Numbers(dtype, whole(shape), content, order == "F")
        case (bytes(content), Dtype() as dtype, tuple(shape), "K", tuple(axes)):
            if sorted(whole(axes)) == list(range(len(shape))):
                return Numbers(dtype, whole(shape), content, axes=axes)
    raise _bad("_frombuffer with arguments")


def _scalar(arguments: tuple[object, ...]) -> Numbers:
    match arguments:
        case (Dtype() as dtype, content):
            return Numbers(dtype, (), content, scalar=True)
    raise _bad("scalar with arguments")


CONSTRUCTORS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "numpy.dtype": _dtype,
    **{f"numpy.{core}.multiarray._reconstruct": _reconstruct for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
}
"""The functions that a pickle may call."""

NAMES = frozenset({"numpy.ndarray"})
"""Names in a pickle that are not called."""


def _bad(what: str) -> Fault:
    return Fault(f"its pickle has {quoted(what)[1:-1]} that NumPy does not give; the file is damaged")

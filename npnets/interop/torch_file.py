"""Files of `torch.save`, read without PyTorch, and without executing anything that is in them.

A file holds a pickle, which is a program, and the numbers. `torch.unpickling` runs that program on a machine that has
only containers and tensors; `torch.archive` and `torch.tensors` use no size before it was compared with the file's
length. A malicious file is refused, in time and memory proportional to its own size.
"""

import os
from typing import Any, Literal, cast

from npnets.backend import Array
from npnets.description import size
from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.torch import tensors, unpickling
from npnets.interop.torch.archive import read_records
from npnets.interop.torch.tensors import Half, Tensor
from npnets.public import listing

__all__ = ["load"]

__dir__ = listing(__all__)

MOST_DEPTH = 100
"""The deepest nesting of dicts, lists and tuples."""

MOST_SHARED = 10
"""The most values in the result for each byte of the pickle, beyond some thousands: shared values are repeated."""

_PER_ARRAY = 200  # bytes that an array takes besides its numbers

_MODULE = "was a whole module saved? Save module.state_dict() instead"
_HINTS: list[tuple[str | tuple[str, ...], str]] = [
    ("torch.nn.", _MODULE),
    ("torch.", "quantized and sparse tensors, float8, tensors with attributes, and dtypes as values are not read"),
    ("numpy.", "save NumPy's numbers as value.item(), and its arrays as torch.as_tensor(array)"),
    (
        ("__builtin__.", "builtins.", "_codecs."),
        "of plain values None, numbers, text, dicts, lists and tuples are read",
    ),
    ("", _MODULE),
]
"""The remedy for an unknown name, by its beginning."""


def load(path: str | os.PathLike[str], *, half: Half = "float32", most_bytes: int | None = None) -> dict[Any, Any]:
    """Read a file of `torch.save(module.state_dict(), path)` without PyTorch.

    A training checkpoint, nested dicts with numbers, text, lists and tuples beside the tensors, is read too. Anything
    else in the file is an error that names it: nothing in the file is ever executed. Devices do not matter.

    Parameters
    ----------
    path : str or path
        A file in the zip format, which `torch.save` has written since PyTorch 1.6.
    half : str
        The dtype of arrays for float16 and bfloat16: `"float32"`, which loses nothing, or `"keep"` for the same dtype;
        that of bfloat16 comes from the package ml_dtypes (extra `bfloat16`), because NumPy has none.
    most_bytes : int, optional
        The most memory that all arrays together may take; by default 8 times the size of the file and 64 MiB. Tensors
        that share a storage become separate arrays, so that a small file could otherwise take any amount.

    Returns
    -------
    dict
        The saved dict, with an array for each tensor: of the tensor's shape and dtype, on the CPU, contiguous, with
        memory of its own. An `OrderedDict` becomes a dict, a `torch.Size` a tuple, a `torch.device` its
        name. The keys are strings or integers.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If the file is in another format, is damaged, or holds anything else; the message names it.
    TypeError
        If the path is not a path, such as an open file.
    ImportError
        If bfloat16 is to be kept and ml_dtypes is not installed.

    Notes
    -----
    Not read: whole modules, quantized and sparse tensors, tensors with attributes of their own, float8, numbers and
    arrays of NumPy, sets and bytes, and dicts that hold themselves.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path of a file, as in load('policy.pt'), but got a {type(path).__name__}")
    if half not in ("float32", "keep"):
        raise ValueError(f"half must be 'float32' or 'keep', but is {half!r}")
    limit = None if most_bytes is None else size("most_bytes", most_bytes, least=0)
    try:
        return _read(path, half, limit)
    except Fault as refusal:
        raise ValueError(f"{os.fspath(path)} cannot be read: {refusal}") from refusal


def _read(path: str | os.PathLike[str], half: Half, most_bytes: int | None) -> dict[Any, Any]:
    records = read_records(path)
    contents = unpickling.run(records["data.pkl"], tensors.CONSTRUCTORS, tensors.NAMES, tensors.storage, _unknown)
    if type(contents) is not dict:
        raise Fault(f"it holds {_described(contents)}, not a dict of tensors; save module.state_dict()")
    if most_bytes is None:
        most_bytes = 8 * sum(map(len, records.values())) + 64 * 2**20
    return cast(dict[Any, Any], _Builder(records, half, most_bytes).build(contents, ()))


class _Builder:
    """Copies the content of a pickle, with arrays for tensors, into a tree of bounded size."""

    def __init__(self, records: dict[str, bytes], half: Half, most_bytes: int) -> None:
        self.records, self.half = records, half
        self.order = _byte_order(records)
        self.most_bytes, self.bytes_left = most_bytes, most_bytes
        self.values_left = min(unpickling.MOST_STEPS, 10_000 + MOST_SHARED * len(records["data.pkl"]))

    def build(self, value: object, place: tuple[object, ...]) -> object:
        self.values_left -= 1
        if self.values_left < 0:
            raise Fault("it has a list or dict in too many places to be repeated in each")
        if len(place) > MOST_DEPTH:
            raise Fault(f"it has more than {MOST_DEPTH} nested dicts or lists, or one that holds itself")
        if isinstance(value, dict):
            return {key: self.build(part, (*place, key)) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.build(part, (*place, index)) for index, part in enumerate(value)])
        if isinstance(value, Tensor):
            return self.array(value, place)
        if isinstance(value, (bool, int, float, str)) or value is None:
            return value
        raise Fault(f"at {_written(place)} it holds {_described(value)}, which is neither a tensor nor a plain value")

    def array(self, tensor: Tensor, place: tuple[object, ...]) -> Array:
        self.bytes_left -= tensors.needed_bytes(tensor, self.half) + _PER_ARRAY
        if self.bytes_left < 0:
            raise Fault(
                f"its arrays take more than {self.most_bytes} bytes of memory, much more than the file has, from "
                f"{_written(place)} of shape {tensor.shape} on; if that is right, pass a larger most_bytes"
            )
        try:
            return tensors.array(tensor, self.records, self.order, self.half)
        except Fault as refusal:
            raise Fault(f"at {_written(place)}, {refusal}") from refusal


def _byte_order(records: dict[str, bytes]) -> Literal["little", "big"]:
    """Return the byte order that the file names; before PyTorch 2.1 it names none, and is little-endian."""
    match records.get("byteorder", b"little"):
        case b"little":
            return "little"
        case b"big":
            return "big"
        case other:
            raise Fault(f"its record 'byteorder' is {other[:20]!r}; expected 'little' or 'big'")


def _written(place: tuple[object, ...]) -> str:
    return quoted(".".join(str(key)[:100] for key in place))


def _described(value: object) -> str:
    """Return the kind of a value in a few words, whatever its size."""
    return f"the name {value.path}" if type(value) is unpickling.Name else f"a {type(value).__name__.lower()}"


def _unknown(path: str) -> Fault:
    hints = [hint for modules, hint in _HINTS if path.startswith(modules)]
    return Fault(
        f"it uses {quoted(path, 200)}, which belongs to no tensor or plain value, and was not executed; {hints[0]}"
    )

"""Files of `torch.save`, read with no PyTorch, and without running anything that is in them.

A file holds a pickle, which is a program, and the numbers. `torch_pickle` runs that program on a machine that knows
nothing but containers and tensors; `torch_archive` and `torch_tensors` believe no size that the file does not bear out.
So a file that was made to do harm is refused, in time and memory that go with its own size.
"""

import os
from typing import Any, Literal, cast

from npnets.description import size
from npnets.interop import torch_pickle, torch_tensors
from npnets.interop.torch_archive import read_records
from npnets.interop.torch_refusal import Refusal, shown
from npnets.interop.torch_tensors import Half, Tensor
from npnets.public import listing

__all__ = ["load"]

__dir__ = listing(__all__)

MOST_DEPTH = 100
"""The most dicts, lists and tuples within one another."""

MOST_SHARED = 10
"""The most values in the answer for each byte of the pickle, beyond some thousands: what is shared is written out."""

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
"""What to do about a name that is not known, by how it begins."""


def load(path: str | os.PathLike[str], *, half: Half = "float32", most_bytes: int | None = None) -> dict[Any, Any]:
    """Read what `torch.save(module.state_dict(), path)` wrote, with no PyTorch.

    A training checkpoint, nested dicts with numbers, text, lists and tuples beside the tensors, is read too. Whatever
    else is in the file is an error that names it: nothing in the file is ever run. Devices do not matter.

    Parameters
    ----------
    path : str or path
        A file in the zip format, which `torch.save` has written since PyTorch 1.6.
    half : str
        What becomes of float16 and bfloat16: `"float32"` makes them float32, which loses nothing; `"keep"` keeps them,
        for bfloat16 in the dtype of the package ml_dtypes (extra `bfloat16`), because NumPy has none.
    most_bytes : int, optional
        The most memory that all arrays together may take; by default 8 times the size of the file and 64 MiB. Tensors
        that share a storage come as arrays of their own, so that a small file could ask for any amount.

    Returns
    -------
    dict
        What was saved, with an array for each tensor: of the tensor's shape and dtype, on the CPU, contiguous, and
        sharing memory with no other. An `OrderedDict` becomes a dict, a `torch.Size` a tuple, a `torch.device` its
        name. The keys are text or integers.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If it is no such file, is damaged, or holds anything else: the message says what.
    TypeError
        If the path is none, such as an open file.
    ImportError
        If bfloat16 is to be kept and ml_dtypes is not installed.

    Notes
    -----
    Not read: whole modules, quantized and sparse tensors, tensors with attributes of their own, float8, numbers and
    arrays of NumPy's, sets and bytes, and dicts that hold themselves.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path of a file, as in load('policy.pt'), but got a {type(path).__name__}")
    if half not in ("float32", "keep"):
        raise ValueError(f"half must be 'float32' or 'keep', but is {half!r}")
    limit = None if most_bytes is None else size("most_bytes", most_bytes, least=0)
    try:
        return _read(path, half, limit)
    except Refusal as refusal:
        raise ValueError(f"{os.fspath(path)} cannot be read: {refusal}") from refusal


def _read(path: str | os.PathLike[str], half: Half, most_bytes: int | None) -> dict[Any, Any]:
    records = read_records(path)
    contents = torch_pickle.run(
        records["data.pkl"], torch_tensors.CONSTRUCTORS, torch_tensors.NAMES, torch_tensors.storage, _unknown
    )
    if type(contents) is not dict:
        raise Refusal(f"it holds {_described(contents)}, not a dict of tensors; save module.state_dict()")
    if most_bytes is None:
        most_bytes = 8 * sum(map(len, records.values())) + 64 * 2**20
    return cast(dict[Any, Any], _Builder(records, half, most_bytes).build(contents, ()))


class _Builder:
    """Copies what a pickle gave, arrays in the place of tensors, so that the answer is a tree of bounded size."""

    def __init__(self, records: dict[str, bytes], half: Half, most_bytes: int) -> None:
        self.records, self.half = records, half
        self.order = _byte_order(records)
        self.most_bytes, self.bytes_left = most_bytes, most_bytes
        self.values_left = min(torch_pickle.MOST_STEPS, 10_000 + MOST_SHARED * len(records["data.pkl"]))

    def build(self, value: Any, place: tuple[Any, ...]) -> Any:
        self.values_left -= 1
        if self.values_left < 0:
            raise Refusal("it has a list or dict in so many places that it cannot be written out in each")
        if len(place) > MOST_DEPTH:
            raise Refusal(f"it has more than {MOST_DEPTH} dicts or lists within one another, or one that holds itself")
        kind = type(value)
        if kind is dict:
            return {key: self.build(part, (*place, key)) for key, part in value.items()}
        if kind in (list, tuple):
            return kind([self.build(part, (*place, index)) for index, part in enumerate(value)])
        if kind is Tensor:
            return self.array(value, place)
        if kind in (bool, int, float, str) or value is None:
            return value
        raise Refusal(f"at {_written(place)} it holds {_described(value)}, which is neither a tensor nor a plain value")

    def array(self, tensor: Tensor, place: tuple[Any, ...]) -> Any:
        self.bytes_left -= torch_tensors.needed_bytes(tensor, self.half) + _PER_ARRAY
        if self.bytes_left < 0:
            raise Refusal(
                f"its arrays take more than {self.most_bytes} bytes of memory, much more than the file has, from "
                f"{_written(place)} of shape {tensor.shape} on; if that is right, pass a larger most_bytes"
            )
        try:
            return torch_tensors.array(tensor, self.records, self.order, self.half)
        except Refusal as refusal:
            raise Refusal(f"at {_written(place)}, {refusal}") from refusal


def _byte_order(records: dict[str, bytes]) -> Literal["little", "big"]:
    """Return the order of bytes that the file names; before PyTorch 2.1 none, and that meant little."""
    match records.get("byteorder", b"little"):
        case b"little":
            return "little"
        case b"big":
            return "big"
        case other:
            raise Refusal(f"its record 'byteorder' is {other[:20]!r}; expected 'little' or 'big'")


def _written(place: tuple[Any, ...]) -> str:
    return shown(".".join(str(key)[:100] for key in place))


def _described(value: Any) -> str:
    """Say what a value is, in a few words whatever its size."""
    return f"the name {value.path}" if type(value) is torch_pickle.Name else f"a {type(value).__name__.lower()}"


def _unknown(path: str) -> Refusal:
    hints = [hint for modules, hint in _HINTS if path.startswith(modules)]
    return Refusal(
        f"it asks for {shown(path, 200)}, which is no part of tensors or plain values, and was not run; {hints[0]}"
    )

"""Files of `torch.save`, read without PyTorch, and without executing anything that is in them.

A file holds a pickle, which is a program, and the numbers. `interop.pickles` runs that program on a machine that has
only containers, numbers and tensors; `torch.archive` and `torch.tensors` use no size before it was compared with the
file's length. A malicious file is refused, in time and memory proportional to its own size.
"""

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO, Literal, TypeAlias

from npnets.description import size
from npnets.files.fault import Fault
from npnets.files.quoting import printable
from npnets.interop.pickles import unpickling, vocabulary
from npnets.interop.pickles.contents import Arrays, Builder, ForeignChoice, most_bytes_by_default
from npnets.interop.torch import legacy, tensors
from npnets.interop.torch.archive import read_records
from npnets.interop.torch.arrays import TensorArrays
from npnets.interop.torch.legacy import Legacy
from npnets.interop.torch.tensors import Half, Tensor
from npnets.public import listing

__all__ = ["load"]

__dir__ = listing(__all__)

Unknown: TypeAlias = Callable[[str], Fault] | None


def load(
    path: str | os.PathLike[str] | bytes,
    *,
    half: Half = "float32",
    most_bytes: int | None = None,
    foreign: ForeignChoice = "error",
) -> Any:
    """Read a file of `torch.save(module.state_dict(), path)` without PyTorch.

    A training checkpoint is read too: nested dicts with numbers, text, lists, tuples, and NumPy's arrays and scalars
    beside the tensors. Any other object is an error that names its class, unless `foreign` is given: nothing in the
    file is ever executed or imported. Devices do not matter.

    Parameters
    ----------
    path : str, path or bytes
        A file of `torch.save`: a zip archive, or the format from before PyTorch 1.6. As bytes, the contents of one.
    half : str
        The dtype of tensors of float16 and bfloat16: `"float32"`, which loses nothing, or `"keep"` for the same dtype;
        that of bfloat16 comes from the package ml_dtypes (extra `bfloat16`), because NumPy has none.
    most_bytes : int, optional
        The most memory that all arrays together may take; by default 8 times the size of the file and 64 MiB. Tensors
        that share a storage become separate arrays, so that a small file could otherwise take any amount.
    foreign : str
        What becomes of objects of other classes: `"error"`; `"keep"`, an inert `npnets.interop.Foreign` with the name
        of the class and the object's state; or `"omit"`, which leaves them out of dicts, lists and tuples.

    Returns
    -------
    object
        What was saved, usually a dict, with an array for each tensor: of the tensor's shape and dtype, on the CPU,
        contiguous, with memory of its own. An `OrderedDict` becomes a dict, a `torch.Size` a tuple, a `torch.device`
        its name. The keys of dicts are strings or integers.

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
    Not read: whole modules, quantized and sparse tensors, tensors with attributes of their own, float8, NumPy's arrays
    of objects, text and dates, and dicts that hold themselves.
    """
    if not isinstance(path, (str, os.PathLike, bytes)):
        raise TypeError(f"expected a path of a file, as in load('policy.pt'), but got a {type(path).__name__}")
    if half not in ("float32", "keep"):
        raise ValueError(f"half must be 'float32' or 'keep', but is {half!r}")
    limit = None if most_bytes is None else size("most_bytes", most_bytes, least=0)
    choice = vocabulary.check_choice(foreign)
    try:
        return _read(path, half, limit, choice)
    except Fault as refusal:
        name = "the file" if isinstance(path, bytes) else printable(os.fsdecode(path))
        raise ValueError(f"{name} cannot be read: {refusal}") from refusal


def _read(path: str | os.PathLike[str] | bytes, half: Half, most_bytes: int | None, foreign: ForeignChoice) -> Any:
    unknown = vocabulary.unknown if foreign == "error" else None
    with io.BytesIO(path) if isinstance(path, bytes) else open(path, "rb") as file:
        is_legacy = file.read(len(legacy.MAGIC)) == legacy.MAGIC
        file.seek(0)
        found = _legacy(file, unknown) if is_legacy else _archive(file, unknown)
    if most_bytes is None:
        most_bytes = most_bytes_by_default(found.length + sum(map(len, found.records.values())))
    arrays: dict[type, Arrays] = {Tensor: TensorArrays(found.records, found.order, half)}
    return Builder(found.length, most_bytes, foreign, arrays).root(found.value)


def _legacy(file: BinaryIO, unknown: Unknown) -> Legacy:
    """Read a file from before PyTorch 1.6."""
    return legacy.read(file.read(unpickling.MOST_BYTES + 1), unknown)


def _archive(file: BinaryIO, unknown: Unknown) -> Legacy:
    """Read a zip archive."""
    records = read_records(file)
    pickle = records.pop("data.pkl")
    value = unpickling.run(pickle, vocabulary.CONSTRUCTORS, vocabulary.NAMES, tensors.storage, unknown)
    return Legacy(value, records, _byte_order(records), len(pickle))


def _byte_order(records: dict[str, bytes]) -> Literal["little", "big"]:
    """Return the byte order that the file names; before PyTorch 2.1 it names none, and is little-endian."""
    match records.get("byteorder", b"little"):
        case b"little":
            return "little"
        case b"big":
            return "big"
        case other:
            raise Fault(f"its record 'byteorder' is {other[:20]!r}; expected 'little' or 'big'")

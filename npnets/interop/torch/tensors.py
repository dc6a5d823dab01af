"""The tensors in a file of PyTorch's: their descriptions in the pickle, and the arrays made from them.

A *storage* is a sequence of numbers of one dtype, a record of the file; a tensor is a view of a storage, given by an
offset, a shape and strides, all counted in elements. Several tensors may share a storage. No size in the pickle is used
before it was compared with the storage's record.
"""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.pickles.objects import Encoded, Instance, Name
from npnets.interop.pickles.shapes import empty, whole

Half: TypeAlias = Literal["float32", "keep"]

_LONGEST_KEY = 100

_STORAGES = {
    "torch.BFloat16Storage": "bfloat16",
    "torch.BoolStorage": "bool",
    "torch.ByteStorage": "uint8",
    "torch.CharStorage": "int8",
    "torch.ComplexDoubleStorage": "complex128",
    "torch.ComplexFloatStorage": "complex64",
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.IntStorage": "int32",
    "torch.LongStorage": "int64",
    "torch.ShortStorage": "int16",
    "torch.storage.UntypedStorage": "uint8",
}
_NEW_DTYPES = {f"torch.{name}": name for name in ("uint16", "uint32", "uint64")}
"""Dtypes without a storage class of their own: their storages are bytes, and the tensor names the dtype."""

_IN_BYTES: dict[str, np.dtype[Any]] = {"bfloat16": np.dtype("uint16"), "bool": np.dtype("uint8")}
"""The dtype in the file, where it is not the one of the array."""

NAMES = frozenset({*_STORAGES, *_NEW_DTYPES})
"""Names in a pickle that are not called."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A record of the file as the pickle describes it: its dtype, its key, and how many numbers it should hold."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class EmbeddedStorage:
    """A storage as a whole file, which a plain pickle holds as bytes; its dtype is in there."""

    content: bytes | Encoded


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view of a storage; sizes in elements of `dtype`. Not yet compared with the storage's bytes.

    An empty dtype is the one of an embedded storage.
    """

    storage: Storage | EmbeddedStorage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)


# -- descriptions in the pickle --------------------------------------------------------------------------------------


def storage(identifier: object) -> Storage | Name:
    """Return the storage of a persistent identifier; the device that it was on does not matter.

    One of a class that is not known, such as that of quantized numbers, is its name.
    """
    match identifier:
        case ("storage", Name(path), str(key), str(), int(count), *view) if path in _STORAGES:
            if len(key) <= _LONGEST_KEY and view in ([], [None]):
                return Storage(_STORAGES[path], key, count)
        case ("storage", Name(path) as unread, str(), str(), int(), *_) if path not in _STORAGES:
            if path.startswith("torch.") and path.endswith("Storage"):
                return unread
    raise Fault("its pickle describes a storage in an unknown form; the file is damaged")


def _rebuild_tensor_v2(arguments: tuple[object, ...]) -> Tensor:
    match arguments:
        case (
            Storage() | EmbeddedStorage() as source,
            int(offset),
            tuple(shape),
            tuple(strides),
            bool(),
            dict(),
            *metadata,
        ):
            _check_no_metadata(metadata)
            return _tensor(source, source.dtype if isinstance(source, Storage) else "", offset, shape, strides)
    raise _bad_arguments("torch._utils._rebuild_tensor_v2")


def _rebuild_tensor_v3(arguments: tuple[object, ...]) -> Tensor | Instance:
    match arguments:
        case (_, _, tuple(), tuple(), bool(), dict(), Name(path), *_) if path not in NAMES:  # a dtype such as float8
            return Instance("torch._utils._rebuild_tensor_v3", arguments)
        case (source, int(offset), tuple(shape), tuple(strides), bool(), dict(), Name(path), *metadata):
            if path in _NEW_DTYPES and isinstance(source, (Storage, EmbeddedStorage)):
                _check_no_metadata(metadata)
                return _tensor(source, _NEW_DTYPES[path], offset, shape, strides)
    raise _bad_arguments("torch._utils._rebuild_tensor_v3")


def _rebuild_parameter(arguments: tuple[object, ...]) -> Tensor:
    match arguments:
        case (Tensor() as data, bool(), dict()):
            return data
    raise _bad_arguments("torch._utils._rebuild_parameter")


def _torch_size(arguments: tuple[object, ...]) -> tuple[int, ...]:
    match arguments:
        case (tuple(shape),):
            return whole(shape)
    raise _bad_arguments("torch.Size")


def _torch_device(arguments: tuple[object, ...]) -> str:
    match arguments:
        case (str(kind),) if len(kind) <= _LONGEST_KEY:
            return kind
        case (str(kind), int(index)) if len(kind) <= _LONGEST_KEY:
            return f"{kind}:{index}"
    raise _bad_arguments("torch.device")


def _load_from_bytes(arguments: tuple[object, ...]) -> EmbeddedStorage:
    match arguments:
        case (bytes() | Encoded() as content,):
            return EmbeddedStorage(content)
    raise _bad_arguments("torch.storage._load_from_bytes")


CONSTRUCTORS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "torch.Size": _torch_size,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch.device": _torch_device,
}
"""The functions that a pickle may call."""

OF_PLAIN_PICKLES: dict[str, Callable[[tuple[object, ...]], object]] = {
    "torch.storage._load_from_bytes": _load_from_bytes,
}
"""Further ones in a pickle that `torch.save` did not write."""


def _bad_arguments(name: str) -> Fault:
    return Fault(f"its pickle calls {name} with arguments that PyTorch does not give; the file is damaged")


def _check_no_metadata(metadata: list[object]) -> None:
    if any(metadata):
        raise Fault(
            "it has a tensor whose conjugation or sign is deferred by PyTorch; save tensor.resolve_conj() or "
            "tensor.resolve_neg()"
        )


def _tensor(
    source: Storage | EmbeddedStorage, dtype: str, offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]
) -> Tensor:
    if len(shape) != len(strides):
        raise Fault(f"it has a tensor of {len(shape)} axes with {len(strides)} strides; the file is damaged")
    return Tensor(source, dtype, offset, whole(shape), whole(strides))


def itemsize(storage: Storage) -> int:
    """Return how many bytes a number of a storage takes in the file."""
    return _dtype_in_file(storage.dtype).itemsize


# -- arrays ----------------------------------------------------------------------------------------------------------


def needed_bytes(tensor: Tensor, half: Half) -> int:
    """Return how many bytes a tensor's array takes."""
    return tensor.size * _dtype_of_array(tensor.dtype, half).itemsize


def array(tensor: Tensor, records: dict[str, bytes], order: Literal["little", "big"], half: Half) -> Array:
    """Make a tensor's array.

    Parameters
    ----------
    tensor : Tensor
    records : dict of bytes
        The file's records by name.
    order : str
        The byte order of the file.
    half : str
        `"float32"` or `"keep"`, as for `torch_file.load`.

    Returns
    -------
    array
        With memory of its own, contiguous, in the machine's byte order.

    Raises
    ------
    ImportError
        If bfloat16 is to be kept and ml_dtypes is not installed.
    Fault
        If the tensor does not fit its storage, or the storage its record.
    """
    dtype = _dtype_of_array(tensor.dtype, half)
    stored = _dtype_in_file(tensor.dtype)
    octets = np.frombuffer(_storage_bytes(tensor, records), np.uint8)
    in_order = stored.newbyteorder("<" if order == "little" else ">")
    numbers = octets[: octets.size // stored.itemsize * stored.itemsize].view(in_order)
    view = _view(numbers, tensor)
    if tensor.dtype != "bfloat16":
        return np.array(view, dtype=dtype, order="C")
    bits: Array = np.array(view, dtype=np.uint16 if half == "keep" else np.uint32, order="C")
    if half != "keep":
        bits <<= 16  # a bfloat16 is the upper half of a float32
    return bits.view(dtype)


def _dtype_in_file(dtype: str) -> np.dtype[Any]:
    return _IN_BYTES[dtype] if dtype in _IN_BYTES else np.dtype(dtype)


def _dtype_of_array(dtype: str, half: Half) -> np.dtype[Any]:
    if dtype in ("bfloat16", "float16") and half == "float32":
        return np.dtype(np.float32)
    if dtype != "bfloat16":
        return np.dtype(dtype)
    try:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    except ImportError as error:
        raise ImportError(
            "NumPy has no bfloat16 of its own; to keep it install ml_dtypes (pip install 'npnets[bfloat16]'), or read "
            "with half='float32', which loses nothing"
        ) from error


def _storage_bytes(tensor: Tensor, records: dict[str, bytes]) -> bytes:
    source = tensor.storage
    assert isinstance(source, Storage)
    if (raw := records.get(f"data/{source.key}")) is None:
        raise Fault(f"it lacks the record {quoted(f'data/{source.key}')}; the file is damaged")
    itemsize = _dtype_in_file(source.dtype).itemsize
    if len(raw) // itemsize != source.count:
        raise Fault(
            f"the record {quoted(f'data/{source.key}')} has {len(raw)} bytes, where {source.count} numbers of "
            f"{source.dtype} must be; the file is damaged"
        )
    return raw


def _view(numbers: Array, tensor: Tensor) -> Array:
    """Return a tensor's view of its storage."""
    if tensor.size == 0:
        return empty(tensor.shape)
    pairs = list(zip(tensor.shape, tensor.strides, strict=True))
    last = tensor.offset + sum((length - 1) * stride for length, stride in pairs)
    if tensor.offset < 0 or last >= numbers.size:
        raise Fault(
            f"a tensor of shape {tensor.shape} with strides {tensor.strides} at {tensor.offset} reaches outside its "
            f"storage of {numbers.size} numbers; the file is damaged"
        )
    # The stride of an axis of one entry is never used, and may be anything.
    strides = [stride * numbers.itemsize if length > 1 else 0 for length, stride in pairs]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)

"""Arrays of the tensors in a file, each from the records of the storage that it views."""

from dataclasses import replace
from typing import Literal

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.interop.pickles import vocabulary
from npnets.interop.pickles.numpy_values import content_bytes
from npnets.interop.pickles.objects import Encoded
from npnets.interop.torch import legacy, tensors
from npnets.interop.torch.tensors import EmbeddedStorage, Half, Storage, Tensor


class TensorArrays:
    """Makes arrays of tensors.

    Parameters
    ----------
    records : dict of bytes
        The file's records by name.
    order : str
        The byte order of the file.
    half : str
        `"float32"` or `"keep"`, as for `torch_file.load`.
    """

    def __init__(self, records: dict[str, bytes], order: Literal["little", "big"], half: Half) -> None:
        self.records, self.order, self.half = records, order, half
        self.opened: dict[int, tuple[object, legacy.Legacy]] = {}

    def needed_bytes(self, tensor: Tensor) -> int:
        """Return how many bytes an array takes."""
        return tensors.needed_bytes(self._resolved(tensor)[0], self.half)

    def array(self, tensor: Tensor) -> Array:
        """Return a tensor's array."""
        resolved, records, order = self._resolved(tensor)
        return tensors.array(resolved, records, order, self.half)

    def _resolved(self, tensor: Tensor) -> tuple[Tensor, dict[str, bytes], Literal["little", "big"]]:
        """Return a tensor of a storage in records, with these and their byte order."""
        if isinstance(tensor.storage, Storage):
            return tensor, self.records, self.order
        inner = self._opened(tensor.storage)
        if not isinstance(inner.value, Storage):
            raise Fault("its pickle has a tensor without a storage; the file is damaged")
        dtype = tensor.dtype or inner.value.dtype
        return replace(tensor, storage=inner.value, dtype=dtype), inner.records, inner.order

    def _opened(self, embedded: EmbeddedStorage) -> legacy.Legacy:
        """Return what a file within the file holds, which is read once, however many tensors view it."""
        content = embedded.content
        part = content.text if isinstance(content, Encoded) else content
        if id(part) not in self.opened:
            file = content_bytes(content)
            if not file.startswith(legacy.MAGIC):
                raise Fault("its pickle has a storage in an unknown form; the file is damaged")
            self.opened[id(part)] = (part, legacy.read(file, vocabulary.unknown))
        return self.opened[id(part)][1]

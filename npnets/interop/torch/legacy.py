"""Files that `torch.save` wrote before PyTorch 1.6: five pickles after one another, and the storages behind them.

The pickles are a magic number, a version, what the machine was, the saved value, and the keys of the storages in their
order. Plain pickles of tensors hold each storage as such a file of its own.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.pickles import unpickling, vocabulary
from npnets.interop.pickles.objects import Name
from npnets.interop.torch import tensors
from npnets.interop.torch.tensors import Storage

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first bytes of such a file, which are its first pickle."""

_VERSION = 1001


class Legacy(NamedTuple):
    """What such a file holds.

    Parameters
    ----------
    value : object
        The saved value, as the machine of pickles returns it.
    records : dict of bytes
        The storages, by the names that the records of a zip archive have.
    order : str
        The byte order.
    length : int
        That of the pickles in bytes.
    """

    value: object
    records: dict[str, bytes]
    order: Literal["little", "big"]
    length: int


def read(content: bytes, unknown: Callable[[str], Fault] | None) -> Legacy:
    """Read the contents of a file.

    Parameters
    ----------
    content : bytes
    unknown : callable, optional
        As for `unpickling.run`.

    Raises
    ------
    Fault
        If the file is damaged.
    """
    found: dict[str, Storage] = {}

    def stored(identifier: object) -> Storage | Name:
        match identifier:
            case ("module", Name() as kind, str(), str()):  # the class of a whole module, with its source
                return kind
        storage = tensors.storage(identifier)
        if isinstance(storage, Name):
            raise Fault(f"it has a storage of {quoted(storage.path)}, whose size in files of its kind is not known")
        if found.setdefault(storage.key, storage) != storage:
            raise Fault(f"its storage {quoted(storage.key)} has two dtypes or sizes; the file is damaged")
        return storage

    def simple(start: int) -> tuple[object, int]:
        return unpickling.run_first(content, start, {}, (), stored, vocabulary.unknown)

    version, at = simple(len(MAGIC))
    machine, at = simple(at)
    if version != _VERSION or not isinstance(machine, dict) or type(machine.get("little_endian")) is not bool:
        raise Fault("it begins as files from before PyTorch 1.6 do, and does not go on so; the file is damaged")
    value, at = unpickling.run_first(content, at, vocabulary.CONSTRUCTORS, vocabulary.NAMES, stored, unknown)
    keys, at = simple(at)
    records = _records(content, at, keys, found)
    return Legacy(value, records, "little" if machine["little_endian"] else "big", at)


def _records(content: bytes, at: int, keys: object, found: dict[str, Storage]) -> dict[str, bytes]:
    if not isinstance(keys, list) or not all(type(key) is str for key in keys) or sorted(keys) != sorted(found):
        raise Fault("its list of storages does not name those that its tensors have; the file is damaged")
    records = {}
    for key in keys:
        start = at + 8
        at = start + found[key].count * tensors.itemsize(found[key])
        count = int.from_bytes(content[start - 8 : start], "little")  # a negative one would read bytes twice
        if count != found[key].count or at > len(content):
            raise Fault(f"its storage {quoted(key)} is not whole; the file is damaged, or was cut off")
        records[f"data/{key}"] = content[start:at]
    if at != len(content):
        raise Fault(f"it has {len(content) - at} bytes behind its last storage; the file is damaged")
    return records

"""Files of `pickle.dump`, read without executing anything that is in them, or importing what they name.

The files of other libraries are such pickles: the statistics of `VecNormalize`, the policies of d3rlpy, and what
Stable-Baselines3 writes into its JSON. `interop.pickles` runs a pickle on a machine that has only containers, numbers
and arrays. A malicious file is refused, in time and memory proportional to its own size.
"""

import os
from typing import Any

from npnets.description import size
from npnets.files.fault import Fault
from npnets.files.quoting import printable
from npnets.interop.pickles import unpickling, vocabulary
from npnets.interop.pickles.contents import Arrays, Builder, ForeignChoice, most_bytes_by_default
from npnets.interop.torch import legacy, tensors
from npnets.interop.torch.arrays import TensorArrays
from npnets.interop.torch.tensors import Tensor
from npnets.public import listing

__all__ = ["load"]

__dir__ = listing(__all__)


def load(
    path: str | os.PathLike[str] | bytes, *, most_bytes: int | None = None, foreign: ForeignChoice = "error"
) -> Any:
    """Read a pickle without unpickling it.

    Plain values are read, NumPy's arrays, scalars and dtypes of numbers, and tensors of PyTorch, as arrays. Any other
    object is an error that names its class, unless `foreign` is given: nothing in the file is ever executed or
    imported.

    Parameters
    ----------
    path : str, path or bytes
        A file with a pickle of any protocol, 0 to 5; as bytes, a pickle itself.
    most_bytes : int, optional
        The most memory that all arrays together may take; by default 8 times the size of the file and 64 MiB.
    foreign : str
        What becomes of objects of other classes: `"error"`; `"keep"`, an inert `npnets.interop.Foreign` with the name
        of the class and the object's state; or `"omit"`, which leaves them out of dicts, lists and tuples.

    Returns
    -------
    object
        What was pickled: None, numbers, text, bytes, dicts, lists, tuples, sets, and arrays with memory of their own.
        An `OrderedDict` becomes a dict, a `bytearray` bytes, a tensor of half precision an array of float32. The keys
        of dicts are strings or integers.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If the file is no pickle, is damaged, or holds anything else; the message names it.
    TypeError
        If the path is neither a path nor bytes.

    Notes
    -----
    Not read: arrays of objects, structures, text and dates, buffers outside the pickle, and lists or dicts that hold
    themselves.
    """
    if not isinstance(path, (str, os.PathLike, bytes)):
        raise TypeError(f"expected a path of a file or bytes, as in load('vec.pkl'), but got a {type(path).__name__}")
    limit = None if most_bytes is None else size("most_bytes", most_bytes, least=0)
    choice = vocabulary.check_choice(foreign)
    try:
        return _read(path if isinstance(path, bytes) else _contents(path), limit, choice)
    except Fault as refusal:
        name = "the pickle" if isinstance(path, bytes) else printable(os.fsdecode(path))
        raise ValueError(f"{name} cannot be read: {refusal}") from refusal


def _contents(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        return file.read(min(length, unpickling.MOST_BYTES) + 1)  # which takes as much memory before it reads


def _read(pickle: bytes, most_bytes: int | None, foreign: ForeignChoice) -> Any:
    if pickle.startswith(legacy.MAGIC):
        raise Fault("it is a file of torch.save from before PyTorch 1.6; npnets.interop.torch_file.load reads it")
    unknown = vocabulary.unknown if foreign == "error" else None
    constructors = vocabulary.CONSTRUCTORS | tensors.OF_PLAIN_PICKLES
    value = unpickling.run(pickle, constructors, vocabulary.NAMES, _stored, unknown)
    if most_bytes is None:
        most_bytes = most_bytes_by_default(len(pickle))
    arrays: dict[type, Arrays] = {Tensor: TensorArrays({}, "little", "float32")}
    return Builder(len(pickle), most_bytes, foreign, arrays).root(value)


def _stored(identifier: object) -> object:
    raise Fault("its pickle asks for an object outside it, as files of torch.save do; is it a part of one?")

"""Saving and loading a checkpoint, in the format that the suffix of its path names."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeAlias, TypeVar

from npnets.backend import Array
from npnets.checkpoint import manifest, npz, safetensors_file
from npnets.checkpoint.decoding import decode
from npnets.checkpoint.encoding import encode_metadata, encode_params
from npnets.checkpoint.registry import Classes, with_classes
from npnets.checkpoint.template import check_like
from npnets.files.atomic_write import replace
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain, printable
from npnets.tree import Tree

Path: TypeAlias = str | os.PathLike[str]
Result = TypeVar("Result")
Interpret: TypeAlias = Callable[[dict[str, Any], dict[str, Array]], Result]


class _Format(Protocol):
    """A module that reads and writes files with one suffix."""

    def check_library(self) -> None: ...

    def write(self, file: BinaryIO, manifest: str, arrays: dict[str, Array]) -> None: ...

    def read(
        self, path: str, parse: Callable[[str | bytes], dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, Array]]: ...


_FORMATS: dict[str, _Format] = {".npz": npz, ".safetensors": safetensors_file}
_OF_PYTORCH = (".pt", ".pth", ".ckpt")


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be loaded: it is corrupt, foreign, of a newer format, or of another network.

    The message begins with the path, and is one line that is safe to print.
    """


class Checkpoint(NamedTuple):
    """The content of a file.

    Attributes
    ----------
    params : tree
        Of NumPy arrays; `npnets.tree.to_device(params, "cuda")` moves them to a GPU.
    metadata : dict
        The metadata that was saved with them, with its networks; empty if there was none.
    """

    params: Tree
    metadata: dict[str, Any]


def save(path: Path, params: Tree, metadata: dict[str, Any] | None = None) -> None:
    """Save parameters, and what belongs to them, to a file.

    An existing file is replaced whole or not at all: whenever this is interrupted, the path has either the old file or
    the new one, and either is complete. (If the program is killed, a file `.<name>.<letters>.tmp` may remain beside
    it.) Equal arguments give equal bytes.

    Parameters
    ----------
    path : str or path
        Ends in `.npz` or `.safetensors`; the latter needs `pip install 'npnets[safetensors]'`.
    params : tree of arrays
        A network's parameters, or any dict of trees, such as `{"actor": params, "adam": state}`: dicts with strings as
        keys, lists, tuples, named tuples (whose classes `load` needs); at the leaves arrays of NumPy or CuPy with
        booleans, integers or floats, and numbers, strings or `None`. Values are loaded bit for bit, arrays in C order.
    metadata : dict, optional
        `None`, booleans, numbers, strings, lists, tuples and dicts with strings as keys, and anywhere in them networks
        and other dataclasses: `{"network": actor, "steps": 20000}`. `load` needs the classes of your own.

    Raises
    ------
    ValueError
        If the path has another suffix, a dataclass could not be made again from its fields, or an integer has more
        than 4300 digits.
    TypeError
        If a file cannot hold a value, such as a function; the message names its place.
    ImportError
        If `safetensors` is needed and not installed.
    OSError
        If there is no such folder, or the file cannot be written.
    """
    name, format = _name_and_format(path, "save(path, params)")
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict such as {{'network': actor}}, but is a {type(metadata).__name__}")
    encoded, gathered = encode_params(params)
    arrays = gathered.arrays or {}
    content = {"arrays": gathered.table, "params": encoded, "metadata": encode_metadata(metadata or {})}
    text = manifest.write(content, arrays)
    replace(name, lambda file: format.write(file, text, arrays))


def load(path: Path, *, classes: Iterable[type] = (), like: object = None) -> Checkpoint:
    """Load a file that `save` wrote.

    Nothing in the file is executed or imported: networks are made from npnets' own classes and those listed here.

    Parameters
    ----------
    path : str or path
        Ends in `.npz` or `.safetensors`.
    classes : sequence of classes, optional
        Dataclasses and named tuples that the file names and that are not npnets' own networks, such as
        `(MyTrunk, npnets.optim.AdamState)`.
    like : network or tree of arrays, optional
        The network that the parameters are meant for: keys and shapes must be those that it declares, and the dtype
        float32 or float64 throughout; only a network of your own draws weights for this. Or any tree of arrays: keys,
        shapes and dtypes must be equal.

    Returns
    -------
    Checkpoint
        The named pair `params`, `metadata`.

    Raises
    ------
    CheckpointError
        A `ValueError`: if the file is corrupt, of a newer version or not npnets', names a class that is not known, or
        differs from `like`. The message begins with the path.
    ValueError
        If the path has another suffix.
    TypeError
        If `like` is a class, or `classes` has anything else.
    ImportError
        If `safetensors` is needed and not installed.
    OSError
        If there is no such file, or it cannot be read.
    """
    name, format = _name_and_format(path, "load(path)")
    known = with_classes(classes)
    with _named(name):
        checkpoint = _interpreted(name, format, functools.partial(_decoded, known=known))
        if like is not None:
            check_like(checkpoint.params, like)
    return checkpoint


def _decoded(content: dict[str, Any], arrays: dict[str, Array], known: Classes) -> Checkpoint:
    params = decode(content["params"], arrays, known, "params")
    return Checkpoint(params, decode(content["metadata"], {}, known, "metadata"))


def read(path: Path, call: str, interpret: Interpret[Result]) -> Result:
    """Return what a function makes of a file's content, which is JSON, and of its arrays by name.

    Raises
    ------
    ValueError, ImportError, OSError
        As `load`.
    """
    name, format = _name_and_format(path, call)
    with _named(name):
        return _interpreted(name, format, interpret)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Raise faults as errors that begin with the file's path."""
    try:
        yield
    except Fault as fault:
        raise CheckpointError(f"{printable(name)}: {fault}") from None  # whose text may have any length and content


def _interpreted(name: str, format: _Format, interpret: Interpret[Result]) -> Result:
    found, arrays = format.read(name, manifest.read)
    try:
        content = manifest.check(found, arrays)
        dtypes = {name: row["dtype"] for name, row in content["arrays"].items()}
        return interpret(content, {name: array.astype(dtypes[name], copy=False) for name, array in arrays.items()})
    except (Fault, MemoryError):
        raise
    except Exception as error:  # JSON of another form than save writes: missing keys, values of other types
        raise Fault(f"its manifest makes no sense ({type(error).__name__}: {plain(error)}); {DAMAGED}") from error


def _name_and_format(path: object, call: str) -> tuple[str, _Format]:
    """Return a path as a string, and the module that reads and writes files with its suffix."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path ending in .npz or .safetensors, but got a {type(path).__name__}: {call}")
    name = os.fsdecode(path)
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in _FORMATS:
        hint = "; npnets.interop.torch_file.load reads files of PyTorch's" if suffix in _OF_PYTORCH else ""
        raise ValueError(f"expected a path ending in .npz or .safetensors, but got {name!r}{hint}")
    _FORMATS[suffix].check_library()
    return name, _FORMATS[suffix]

"""The door of `npnets.checkpoint`: saving and loading a file, chosen by its ending."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from npnets.backend import Array
from npnets.checkpoint import manifest, npz, safetensors_file
from npnets.checkpoint.decoding import decode
from npnets.checkpoint.encoding import encode_metadata, encode_params
from npnets.checkpoint.faults import DAMAGED, Fault, plain
from npnets.checkpoint.known import Classes, with_classes
from npnets.checkpoint.replacing import replace
from npnets.checkpoint.template import check_like
from npnets.tree import Tree

Path: TypeAlias = str | os.PathLike[str]
Read = TypeVar("Read")

_CONTAINERS: dict[str, Any] = {".npz": npz, ".safetensors": safetensors_file}
_PYTORCHS = (".pt", ".pth", ".ckpt")


class Checkpoint(NamedTuple):
    """What a file held.

    Attributes
    ----------
    params : tree
        Of NumPy arrays; `npnets.tree.to_device(params, "cuda")` brings them to a GPU.
    metadata : dict
        What was saved beside them, networks among it; empty if nothing was.
    """

    params: Tree
    metadata: dict[str, Any]


def save(path: Path, params: Tree, metadata: dict[str, Any] | None = None) -> None:
    """Save parameters, and what belongs to them, to a file.

    A file that was there is replaced whole or not at all: whenever this is interrupted, the old one or the new one is
    there, and complete. (Where the program is killed, a file `.<name>.<letters>.tmp` may stay beside it.) The same
    arguments give the same bytes.

    Parameters
    ----------
    path : str or path
        Ends in `.npz` or `.safetensors`; the latter needs `pip install 'npnets[safetensors]'`.
    params : tree of arrays
        A network's parameters, or any dict of trees, such as `{"actor": params, "adam": state}`: dicts with strings as
        keys, lists, tuples, named tuples (which `load` must be given); at the leaves arrays of NumPy or CuPy with
        booleans, integers or floats, and numbers, strings or `None`. All comes back bit for bit, arrays in C order.
    metadata : dict, optional
        `None`, booleans, numbers, strings, lists, tuples and dicts with strings as keys, and anywhere in them networks
        and other dataclasses: `{"network": actor, "steps": 20000}`. Those of your own must be given to `load`.

    Raises
    ------
    ValueError
        If the path has another ending, a dataclass could not be made again from its fields, or an integer has more
        than 4300 digits.
    TypeError
        If there is something that a file cannot hold, such as a function; the message names its place.
    ImportError
        If `safetensors` is needed and not installed.
    OSError
        If there is no such folder, or the file cannot be written.
    """
    name, container = _container(path, "save(path, params)")
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict such as {{'network': actor}}, but is a {type(metadata).__name__}")
    encoded, gathered = encode_params(params)
    arrays = gathered.arrays or {}
    content = {"arrays": gathered.table, "params": encoded, "metadata": encode_metadata(metadata or {})}
    text = manifest.write(content, arrays)
    replace(name, lambda file: container.write(file, text, arrays))


def load(path: Path, *, classes: Iterable[type] = (), like: Tree = None) -> Checkpoint:
    """Load what `save` wrote.

    Nothing in the file is run or imported: networks are made from npnets' own classes and those given here.

    Parameters
    ----------
    path : str or path
        Ends in `.npz` or `.safetensors`.
    classes : sequence of classes, optional
        Dataclasses and named tuples that the file names and that are not npnets' own networks, such as
        `(MyTrunk, npnets.optim.AdamState)`.
    like : tree of arrays, optional
        Parameters of the network that these are meant for, such as `actor.init(rng)`: keys, shapes and dtypes must be
        the same.

    Returns
    -------
    Checkpoint
        The named pair `params`, `metadata`.

    Raises
    ------
    ValueError
        If the file is damaged, of a newer version or none of npnets', names a class that is not known, or is not
        `like` what was expected. The message begins with the path.
    ImportError
        If `safetensors` is needed and not installed.
    OSError
        If there is no such file, or it cannot be read.
    """
    name, container = _container(path, "load(path)")
    known = with_classes(classes)
    with _named(name):
        checkpoint = _understood(name, container, functools.partial(_restored, known=known))
        if like is not None:
            check_like(checkpoint.params, like)
    return checkpoint


def _restored(content: dict[str, Any], arrays: dict[str, Array], known: Classes) -> Checkpoint:
    params = decode(content["params"], arrays, known, "params")
    return Checkpoint(params, decode(content["metadata"], {}, known, "metadata"))


def read(path: Path, call: str, understand: Callable[[dict[str, Any], dict[str, Array]], Read]) -> Read:
    """Return what is understood of a file's content, which is JSON, and of its arrays by name.

    Raises
    ------
    ValueError, ImportError, OSError
        As `load`.
    """
    name, container = _container(path, call)
    with _named(name):
        return _understood(name, container, understand)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Put a file's path in front of its faults."""
    try:
        yield
    except Fault as fault:
        raise ValueError(f"{name}: {fault}") from None  # what a cause says may be of any length and hold anything


def _understood(name: str, container: Any, understand: Callable[[dict[str, Any], dict[str, Array]], Read]) -> Read:
    found, arrays = container.read(name, manifest.read)
    try:
        content = manifest.check(found, arrays)
        dtypes = {name: row["dtype"] for name, row in content["arrays"].items()}
        return understand(content, {name: array.astype(dtypes[name], copy=False) for name, array in arrays.items()})
    except (Fault, MemoryError):
        raise
    except Exception as error:  # JSON of another form than save writes: keys that are not there, values of other types
        raise Fault(f"its manifest makes no sense ({type(error).__name__}: {plain(error)}); {DAMAGED}") from error


def _container(path: Any, call: str) -> tuple[str, Any]:
    """Return a path as a string, and the module that reads and writes files with its ending."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path ending in .npz or .safetensors, but got a {type(path).__name__}: {call}")
    name = os.fsdecode(path)
    ending = os.path.splitext(name)[1].lower()
    if ending not in _CONTAINERS:
        hint = "; npnets.interop.torch_file.load reads files of PyTorch's" if ending in _PYTORCHS else ""
        raise ValueError(f"expected a path ending in .npz or .safetensors, but got {name!r}{hint}")
    _CONTAINERS[ending].check_library()
    return name, _CONTAINERS[ending]

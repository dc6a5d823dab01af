"""The names of Python that build plain values: ordered dicts, sets, bytes, complex numbers, and objects of protocol 0.

Python 2 and 3 give some modules different names; the protocols before 3 use those of Python 2.
"""

from collections.abc import Callable

from npnets.files.fault import Fault
from npnets.interop.pickles.objects import Encoded, Instance, Name, Set


def _ordered_dict(arguments: tuple[object, ...]) -> dict[object, object]:
    if arguments:
        raise _bad_arguments("collections.OrderedDict")
    return {}


def _encode(arguments: tuple[object, ...]) -> Encoded:
    match arguments:
        case (str(text), "latin1" | "latin-1"):
            return Encoded(text)
    raise _bad_arguments("_codecs.encode")


def _bytes(arguments: tuple[object, ...]) -> object:
    match arguments:
        case ():
            return b""
        case (bytes() | Encoded() as content,):
            return content
        case (str(text), "latin1" | "latin-1"):
            return Encoded(text)
    raise _bad_arguments("bytes or bytearray")


def _set(frozen: bool) -> Callable[[tuple[object, ...]], Set]:
    def make(arguments: tuple[object, ...]) -> Set:
        match arguments:
            case (list(members),):
                return Set(members, frozen)
        raise _bad_arguments("set or frozenset")

    return make


def _complex(arguments: tuple[object, ...]) -> complex:
    match arguments:
        case (float(real), float(imaginary)):
            return complex(real, imaginary)
    raise _bad_arguments("complex")


def _object(arguments: tuple[object, ...]) -> Instance:
    """Return an object of a class, as the protocols 0 and 1 make it."""
    match arguments:
        case (Name(path), Name("builtins.object" | "__builtin__.object"), None):
            return Instance(path, ())
        case (Name(path), Name(), value):
            return Instance(path, (value,))
    raise _bad_arguments("copyreg._reconstructor")


def _new(arguments: tuple[object, ...]) -> Instance:
    match arguments:
        case (Name(path), *values):
            return Instance(path, tuple(values))
    raise _bad_arguments("copyreg.__newobj__")


CONSTRUCTORS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "_codecs.encode": _encode,
    "collections.OrderedDict": _ordered_dict,
    **{
        f"{module}.{name}": make
        for module in ("builtins", "__builtin__")
        for name, make in (
            ("bytearray", _bytes),
            ("bytes", _bytes),
            ("complex", _complex),
            ("set", _set(False)),
            ("frozenset", _set(True)),
        )
    },
    **{
        f"{module}.{name}": make
        for module in ("copyreg", "copy_reg")
        for name, make in (("_reconstructor", _object), ("__newobj__", _new))
    },
}
"""The functions that a pickle may call."""

NAMES = frozenset({"builtins.object", "__builtin__.object"})
"""Names in a pickle that are not called."""


def _bad_arguments(name: str) -> Fault:
    return Fault(f"its pickle calls {name} with arguments that Python does not give; the file is damaged")

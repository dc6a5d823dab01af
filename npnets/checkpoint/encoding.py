"""Values to JSON: trees of arrays, and metadata with networks in it.

JSON's own values stand for themselves. Every other value is an object whose first key is a tag that begins with `$`:
`$tuple`, `$namedtuple`, `$float` (not finite), `$scalar` (NumPy's), `$array` (the name of an array beside the JSON),
`$call` (a dataclass, such as a network, as the call that makes it), `$class`, `$function`, `$partial`; and `$dict`, a
dict with a key of its own that begins so. A *place* is the keys that lead to a value, for the name of an array and the
message of an error.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from npnets.autodiff import is_traced
from npnets.backend import Array, to_numpy
from npnets.checkpoint.decoding import Json, decode
from npnets.checkpoint.registry import FUNCTIONS, Classes, is_named_tuple, own_classes, own_names
from npnets.common import MLP
from npnets.files.fault import Fault
from npnets.tree import Tree

Place: TypeAlias = tuple[str, ...]

_KINDS, _LARGEST = "biuf", 8
_MOST_DIGITS = 4300  # of an integer that Python parses by default
_TOO_LARGE = 10**_MOST_DIGITS
_SIMPLE_KEY = re.compile("[A-Za-z0-9_-]+")
_LONGEST_NAME, _RESERVED = 200, ("__metadata__",)  # a key of the format .safetensors


class Gathered(NamedTuple):
    """The arrays and classes that were found while values were encoded.

    `arrays` by name, as copies in C order and little-endian, or `None` where arrays are not allowed; `table` the dtype
    and shape of each; `classes` those of the user, by name.
    """

    arrays: dict[str, Array] | None
    table: dict[str, dict[str, Any]]
    classes: Classes


def encode_params(params: Tree) -> tuple[Json, Gathered]:
    """Return a tree as JSON, and its arrays."""
    return _encoded(params, "params", Gathered({}, {}, {}))


def encode_metadata(metadata: dict[str, Any]) -> Json:
    """Return metadata as JSON."""
    return _encoded(metadata, "metadata", Gathered(None, {}, {}))[0]


def _encoded(value: object, root: str, into: Gathered) -> tuple[Json, Gathered]:
    try:
        return _encode(value, (root,), into), into
    except RecursionError:
        raise ValueError(f"{root} are nested too deeply to be saved; does a dict or list hold itself?") from None


def _encode(value: object, place: Place, into: Gathered) -> Json:
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return _integer(value, place)
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, dict):
        return _dict(value, place, into)
    if isinstance(value, (list, tuple)):
        return _sequence(value, place, into)
    if is_traced(value) or _is_like_an_array(value):
        return _numbers(value, place, into)
    if into.arrays is not None:
        raise TypeError(
            f"{_named(place)} must be an array or a number, but is {value!r:.80}; params are a network's parameters, "
            "and the network itself goes into metadata: save(path, params, {'network': network})"
        )
    return _description(value, place, into)


# -- containers -------------------------------------------------------------------------------------------------------


def _dict(value: Mapping[Any, Any], place: Place, into: Gathered) -> Json:
    wrong = [key for key in value if type(key) is not str]
    if wrong:
        raise TypeError(f"{_named(place)} must have strings as keys, but has {wrong[0]!r}")
    parts = {key: _encode(part, (*place, key), into) for key, part in value.items()}
    return {"$dict": parts} if any(key.startswith("$") for key in parts) else parts


def _sequence(value: Any, place: Place, into: Gathered) -> Json:
    if is_named_tuple(value):
        fields = {key: _encode(getattr(value, key), (*place, key), into) for key in value._fields}
        return {"$namedtuple": _class_name(type(value), place, into), "fields": fields}
    parts = [_encode(part, (*place, str(index)), into) for index, part in enumerate(value)]
    return {"$tuple": parts} if isinstance(value, tuple) else parts


# -- numbers ----------------------------------------------------------------------------------------------------------


def _integer(value: int, place: Place) -> int:
    if abs(value) >= _TOO_LARGE:
        raise ValueError(
            f"{_named(place)} must be an integer of at most {_MOST_DIGITS} digits, but has about "
            f"{int(value.bit_length() * math.log10(2))}; save it as text, such as hex(value)"
        )
    return value


def _is_like_an_array(value: object) -> bool:
    return hasattr(value, "dtype") and not isinstance(value, type) and not dataclasses.is_dataclass(value)


def _numbers(value: object, place: Place, into: Gathered) -> Json:
    if is_traced(value):
        raise TypeError(
            f"{_named(place)} is being differentiated; save outside of the function that is, or use "
            "npnets.stop_gradient"
        )
    found = to_numpy(value)
    if not isinstance(found, np.generic) and type(found) not in (np.ndarray, np.memmap):
        raise TypeError(f"{_named(place)} must be an array of NumPy or CuPy, but is a {type(found).__name__}")
    if found.dtype.kind not in _KINDS or found.dtype.itemsize > _LARGEST:
        raise TypeError(
            f"{_named(place)} must hold booleans, integers or floats of at most 64 bits, but has dtype {found.dtype}"
        )
    if isinstance(found, np.generic):
        return {"$scalar": found.dtype.str, "bytes": found.tobytes().hex()}
    return _array(found, place, into)


def _array(found: Array, place: Place, into: Gathered) -> Json:
    if into.arrays is None:
        raise TypeError(f"{_named(place)} is an array; arrays go into params, which may be any dict of trees")
    name = _name_of_array(place, len(into.arrays))
    into.arrays[name] = np.array(found, found.dtype.newbyteorder("<"), order="C")
    into.table[name] = {"dtype": found.dtype.str, "shape": list(found.shape)}
    return {"$array": name}


def _name_of_array(place: Place, number: int) -> str:
    """Return an array's path, or a number if the path is ambiguous or a format could not hold it."""
    path = ".".join(place[1:])
    simple = all(_SIMPLE_KEY.fullmatch(key) for key in place[1:])
    return path if simple and 0 < len(path) <= _LONGEST_NAME and path not in _RESERVED else f"%{number}"


# -- descriptions -----------------------------------------------------------------------------------------------------


def _description(value: object, place: Place, into: Gathered) -> Json:
    if isinstance(value, Mapping):  # an optimizer's rates, which equal a dict
        return _dict(value, place, into)
    if isinstance(value, functools.partial):
        return {
            "$partial": _description(value.func, place, into),
            "args": _encode(list(value.args), place, into),
            "keywords": _encode(dict(value.keywords), place, into),
        }
    if dataclasses.is_dataclass(value):
        if isinstance(value, type):
            return {"$class": _class_name(value, place, into)}
        return _call(value, place, into)
    for name, function in FUNCTIONS.items():
        if value is function:
            return {"$function": name}
    if callable(value) and not hasattr(value, "forward"):
        raise TypeError(
            f"{_named(place)} is {value!r:.80}, and a file holds no functions; use an activation's name such as "
            "'tanh', or a frozen dataclass with __call__, and list its class: load(path, classes=(...,))"
        )
    raise TypeError(
        f"{_named(place)} must be None, a bool, number, str, list, tuple, dict, network or other dataclass, but is "
        f"{value!r:.80}; make a class of your own a frozen dataclass"
    )


def _call(value: Any, place: Place, into: Gathered) -> Json:
    """Return a dataclass as the call that makes it, after a check that the call makes an equal one."""
    arguments = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    if isinstance(value, MLP) and not value.has_last:
        arguments["output_dim"] = 0  # its constructor has replaced that by the number of its features
    encoded = {
        "$call": _class_name(type(value), place, into),
        "arguments": {name: _encode(part, (*place, name), into) for name, part in arguments.items()},
    }
    try:
        again = decode(encoded, {}, {**own_classes(), **into.classes}, _named(place))
    except Fault as fault:
        raise ValueError(f"expected a dataclass that can be made from its fields, but {fault}") from fault
    if again != value:
        raise ValueError(
            f"{_named(place)} would not be the same when loaded: made from its fields again, {value!r:.80} is "
            f"{again!r:.80}; expected a dataclass that compares by value, and whose fields are its arguments"
        )
    return encoded


def _class_name(kind: type, place: Place, into: Gathered) -> str:
    name = own_names().get(kind, kind.__name__)
    if own_classes().get(name, kind) is not kind or into.classes.setdefault(name, kind) is not kind:
        other = own_classes().get(name) or into.classes[name]
        raise ValueError(f"{_named(place)} is of {kind!r}, which has the name of {other!r}; rename one of them")
    return name


def _named(place: Place) -> str:
    return ".".join(place)

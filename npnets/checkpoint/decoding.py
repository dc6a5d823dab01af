"""JSON to values, the inverse of `encoding`. Names are looked up among known classes, and nothing is imported."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.registry import FORMER_FIELDS, FUNCTIONS, OF_OPTIM, Classes, is_named_tuple
from npnets.description import ComparablePartial
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import LONGEST_QUOTE, listed, plain, quoted

Json: TypeAlias = Any
"""A dict, list, string, number, boolean or `None`."""

_Part: TypeAlias = Callable[[Json, object], Any]


def decode(encoded: Json, arrays: dict[str, Array], classes: Classes, place: str) -> Any:
    """Return the value that some JSON stands for.

    Parameters
    ----------
    encoded : JSON
    arrays : dict
        By name.
    classes : dict
        Those that may be instantiated, by name.
    place : str
        The keys that lead to the value, for the message of an error.

    Raises
    ------
    Fault
        If it names a class that is not known, or a constructor raises.
    """

    def part(value: Json, key: object) -> Any:
        return decode(value, arrays, classes, f"{place}.{key}")

    if isinstance(encoded, list):
        return [part(value, index) for index, value in enumerate(encoded)]
    if not isinstance(encoded, dict):
        return encoded
    tag = next(iter(encoded), "")
    if not tag.startswith("$"):
        return {key: part(value, key) for key, value in encoded.items()}
    if tag == "$array":
        return arrays[encoded[tag]]
    if tag not in _MADE:
        raise Fault(f"{plain(place)} is of the kind {quoted(tag)}, which this npnets does not know; a newer one may")
    return _MADE[tag](encoded, part, classes, place)


def _dict(encoded: Json, part: _Part, classes: Classes, place: str) -> dict[str, Any]:
    return {key: part(value, key) for key, value in encoded["$dict"].items()}


def _tuple(encoded: Json, part: _Part, classes: Classes, place: str) -> tuple[Any, ...]:
    return tuple(part(value, index) for index, value in enumerate(encoded["$tuple"]))


def _float(encoded: Json, part: _Part, classes: Classes, place: str) -> float:
    return float(encoded["$float"])


def _scalar(encoded: Json, part: _Part, classes: Classes, place: str) -> np.generic:
    return np.frombuffer(bytes.fromhex(encoded["bytes"]), np.dtype(encoded["$scalar"]))[0]


def _named_tuple(encoded: Json, part: _Part, classes: Classes, place: str) -> Any:
    fields = {key: part(value, key) for key, value in encoded["fields"].items()}
    kind: Any = _class(encoded["$namedtuple"], is_named_tuple, classes, place)
    former = FORMER_FIELDS.get(kind.__name__, {})
    return _made(kind, {key if key in kind._fields else former.get(key, key): fields[key] for key in fields}, place)


def _call(encoded: Json, part: _Part, classes: Classes, place: str) -> Any:
    arguments = {key: part(value, key) for key, value in encoded["arguments"].items()}
    return _made(_class(encoded["$call"], dataclasses.is_dataclass, classes, place), arguments, place)


def _class_itself(encoded: Json, part: _Part, classes: Classes, place: str) -> type:
    return _class(encoded["$class"], dataclasses.is_dataclass, classes, place)


def _function(encoded: Json, part: _Part, classes: Classes, place: str) -> Callable[..., Any]:
    name = encoded["$function"]
    if name not in FUNCTIONS:
        raise Fault(f"{plain(place)} is the function {quoted(name)}, expected one of {', '.join(FUNCTIONS)}")
    return FUNCTIONS[name]


def _partial(encoded: Json, part: _Part, classes: Classes, place: str) -> ComparablePartial:
    function = decode(encoded["$partial"], {}, classes, place)
    return ComparablePartial(function, *part(encoded["args"], "args"), **part(encoded["keywords"], "keywords"))


_MADE: dict[str, Callable[[Json, _Part, Classes, str], Any]] = {
    "$dict": _dict,
    "$tuple": _tuple,
    "$float": _float,
    "$scalar": _scalar,
    "$namedtuple": _named_tuple,
    "$call": _call,
    "$class": _class_itself,
    "$function": _function,
    "$partial": _partial,
}


def _class(name: str, is_right: Callable[[type], bool], classes: Classes, place: str) -> type:
    found = classes.get(name)
    if found is None:
        raise Fault(f"{plain(place)} names the class {quoted(name)}, {_advice(name)}")
    if not is_right(found):
        raise Fault(
            f"{plain(place)} names the class {quoted(name)}, which is of another kind than when it was saved: a "
            "dataclass or a named tuple"
        )
    return found


def _advice(name: object) -> str:
    """Return the remedy for a class that is not known; only a name that a class can have is put into a call."""
    if not isinstance(name, str) or not name.isidentifier() or len(name) > LONGEST_QUOTE:
        return f"which is not the name of a class; {DAMAGED}"
    if name in OF_OPTIM:
        return f"which load needs: load(path, classes=(npnets.optim.{name},))"
    return f"which load needs: load(path, classes=({name},)); or is it a class of a newer npnets?"


def _made(kind: type, arguments: dict[str, Any], place: str) -> object:
    try:
        return kind(**arguments)
    except Exception as error:  # of any class: it is the user's
        raise Fault(
            f"{plain(place)} cannot be made as {kind.__name__} from {listed(sorted(arguments))} ({plain(error)}); has "
            "the class changed since it was saved?"
        ) from error

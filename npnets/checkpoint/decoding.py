"""JSON as values: what `encoding` wrote. A name is looked up among known ones, and is never imported."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.checkpoint.faults import Fault
from npnets.checkpoint.known import FUNCTIONS, Classes, is_named_tuple
from npnets.description import ComparablePartial


def decode(encoded: Any, arrays: dict[str, Array], classes: Classes, place: str) -> Any:
    """Return the value that some JSON stands for.

    Parameters
    ----------
    encoded : JSON
    arrays : dict
        By name.
    classes : dict
        Those that may be made, by name.
    place : str
        Where the value stands, for an error's text.

    Raises
    ------
    Fault
        If it names a class that is not known, or something cannot be made.
    """

    def part(value: Any, key: object) -> Any:
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
        raise Fault(f"{place} is of the kind {tag!r}, which this npnets does not know; a newer one may")
    return _MADE[tag](encoded, part, classes, place)


def _dict(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    return {key: part(value, key) for key, value in encoded["$dict"].items()}


def _tuple(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    return tuple(part(value, index) for index, value in enumerate(encoded["$tuple"]))


def _float(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    return float(encoded["$float"])


def _scalar(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    return np.frombuffer(bytes.fromhex(encoded["bytes"]), np.dtype(encoded["$scalar"]))[0]


def _named_tuple(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    fields = {key: part(value, key) for key, value in encoded["fields"].items()}
    return _made(_class(encoded["$namedtuple"], is_named_tuple, classes, place), fields, place)


def _call(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    arguments = {key: part(value, key) for key, value in encoded["arguments"].items()}
    return _made(_class(encoded["$call"], dataclasses.is_dataclass, classes, place), arguments, place)


def _class_itself(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    return _class(encoded["$class"], dataclasses.is_dataclass, classes, place)


def _function(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    if encoded["$function"] not in FUNCTIONS:
        raise Fault(f"{place} is the function {encoded['$function']!r}, expected one of {', '.join(FUNCTIONS)}")
    return FUNCTIONS[encoded["$function"]]


def _partial(encoded: Any, part: Any, classes: Classes, place: str) -> Any:
    function = decode(encoded["$partial"], {}, classes, place)
    return ComparablePartial(function, *part(encoded["args"], "args"), **part(encoded["keywords"], "keywords"))


_MADE: dict[str, Callable[[Any, Any, Classes, str], Any]] = {
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
    if found is None or not is_right(found):
        raise Fault(
            f"{place} is of the class {name}, which is not npnets' own; give that class: "
            f"load(path, classes=({name},)). If it is one of a newer npnets, upgrade"
        )
    return found


def _made(kind: type, arguments: dict[str, Any], place: str) -> Any:
    try:
        return kind(**arguments)
    except Exception as error:  # whatever a constructor raises
        raise Fault(
            f"{place} cannot be made as {kind.__name__} from {sorted(arguments)} ({error}); is the class another than "
            "when it was saved?"
        ) from error

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


def decode(encoded: Json, arrays: dict[str, Array], classes: Classes, place: str) -> Any:
    """Return the value of some JSON.

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
    return _Decoder(arrays, classes).decode(encoded, place)


@dataclasses.dataclass(frozen=True)
class _Decoder:
    """One method for each tag."""

    arrays: dict[str, Array]
    classes: Classes

    def decode(self, encoded: Json, place: str) -> Any:
        if isinstance(encoded, list):
            return [self.decode(value, f"{place}.{index}") for index, value in enumerate(encoded)]
        if not isinstance(encoded, dict):
            return encoded
        tag = next(iter(encoded), "")
        if not tag.startswith("$"):
            return self.values(encoded, place)
        if tag not in _DECODERS:
            raise Fault(f"{plain(place)} is of the kind {quoted(tag)}, which only a newer npnets may know")
        return _DECODERS[tag](self, encoded, place)

    def values(self, encoded: dict[str, Json], place: str) -> dict[str, Any]:
        return {key: self.decode(value, f"{place}.{key}") for key, value in encoded.items()}

    def scalar(self, encoded: Json, place: str) -> np.generic:
        return np.frombuffer(bytes.fromhex(encoded["bytes"]), np.dtype(encoded["$scalar"]))[0]

    def named_tuple(self, encoded: Json, place: str) -> object:
        fields = self.values(encoded["fields"], place)
        kind: Any = self.class_of(encoded["$namedtuple"], is_named_tuple, place)
        former = FORMER_FIELDS.get(kind.__name__, {})
        return _call(kind, {key if key in kind._fields else former.get(key, key): fields[key] for key in fields}, place)

    def dataclass(self, encoded: Json, place: str) -> object:
        arguments = self.values(encoded["arguments"], place)
        return _call(self.class_of(encoded["$call"], dataclasses.is_dataclass, place), arguments, place)

    def function(self, encoded: Json, place: str) -> Callable[..., Any]:
        name = encoded["$function"]
        if name not in FUNCTIONS:
            raise Fault(f"{plain(place)} is the function {quoted(name)}, expected one of {', '.join(FUNCTIONS)}")
        return FUNCTIONS[name]

    def partial(self, encoded: Json, place: str) -> ComparablePartial:
        function = self.decode(encoded["$partial"], place)
        arguments = self.decode(encoded["args"], f"{place}.args")
        return ComparablePartial(function, *arguments, **self.decode(encoded["keywords"], f"{place}.keywords"))

    def class_of(self, name: str, is_right: Callable[[type], bool], place: str) -> type:
        found = self.classes.get(name)
        if found is None:
            raise Fault(f"{plain(place)} names the class {quoted(name)}, {_advice(name)}")
        if not is_right(found):
            raise Fault(
                f"{plain(place)} names the class {quoted(name)}, which is of another kind than when it was saved: a "
                "dataclass or a named tuple"
            )
        return found


_DECODERS: dict[str, Callable[[_Decoder, Json, str], Any]] = {
    "$array": lambda decoder, encoded, place: decoder.arrays[encoded["$array"]],
    "$dict": lambda decoder, encoded, place: decoder.values(encoded["$dict"], place),
    "$tuple": lambda decoder, encoded, place: tuple(decoder.decode(encoded["$tuple"], place)),
    "$float": lambda decoder, encoded, place: float(encoded["$float"]),
    "$scalar": _Decoder.scalar,
    "$namedtuple": _Decoder.named_tuple,
    "$call": _Decoder.dataclass,
    "$class": lambda decoder, encoded, place: decoder.class_of(encoded["$class"], dataclasses.is_dataclass, place),
    "$function": _Decoder.function,
    "$partial": _Decoder.partial,
}


def _advice(name: object) -> str:
    """Return the remedy for a class that is not known; only a name that a class can have is put into a call."""
    if not isinstance(name, str) or not name.removeprefix("discrete.").isidentifier() or len(name) > LONGEST_QUOTE:
        return f"which is not the name of a class; {DAMAGED}"
    if name in OF_OPTIM:
        return f"which load needs: load(path, classes=(npnets.optim.{name},))"
    return f"which load needs: load(path, classes=({name},)); or is it a class of a newer npnets?"


def _call(kind: type, arguments: dict[str, Any], place: str) -> object:
    try:
        return kind(**arguments)
    except Exception as error:  # of any class: it is the user's
        raise Fault(
            f"{plain(place)} cannot be made as {kind.__name__} from {listed(sorted(arguments))} ({plain(error)}); has "
            "the class changed since it was saved?"
        ) from error

"""Arguments of network descriptions: checks, values that compare equal, and printing as a call.

A description is a frozen dataclass of the arguments that made it. The functions here convert arguments to one form (a
sequence to a tuple, an array of bounds to a tuple of floats), so that equal descriptions compare equal, and raise an
error for invalid ones.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias, TypeGuard, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from npnets.files.limits import MOST_AXES
from npnets.spaces import Box, box_shape, is_box, is_space

MOST_LAYERS, MOST_UNITS = 10_000, 2**40
"""Limits that no real network comes near, so that a description made by mistake, or read from a file, costs little."""

Integer: TypeAlias = int | np.integer[Any]
Number: TypeAlias = float | np.floating[Any] | np.integer[Any]
Sizes: TypeAlias = Sequence[Integer] | NDArray[np.integer[Any]]
Shape: TypeAlias = Integer | Sizes | Box
Bound: TypeAlias = Number | Sequence[Number] | NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
_T = TypeVar("_T")


class cached_property(functools.cached_property[_T]):  # noqa: N801
    """A `functools.cached_property` without a lock.

    Before Python 3.12 that one holds a lock of the whole class while it computes, and a child that is forked meanwhile
    waits for it forever. Here two threads may both compute; both get the value that was stored first.
    """

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> "cached_property[_T]": ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> _T: ...

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        return self if instance is None else instance.__dict__.setdefault(self.attrname, self.func(instance))


def uncached(owner: object) -> dict[str, Any]:
    """Return an object's attributes without its cached properties, for a pickle or a copy."""
    attributes = dict(vars(owner))  # a copy, because other threads may store cached properties meanwhile
    return {name: value for name, value in attributes.items() if not _is_cached(type(owner), name)}


def _is_cached(owner: type, name: str) -> bool:
    return isinstance(getattr(owner, name, None), functools.cached_property)


class ComparablePartial(functools.partial[Any]):
    """A `functools.partial` that equals another of the same function and arguments."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, functools.partial):
            return NotImplemented
        return (self.func, self.args, self.keywords) == (other.func, other.args, other.keywords)

    def __hash__(self) -> int:
        return hash((self.func, self.args, tuple(sorted(self.keywords.items()))))

    def __repr__(self) -> str:
        named = [f"{key}={value!r}" for key, value in self.keywords.items()]
        return f"functools.partial({', '.join([_name(self.func), *map(repr, self.args), *named])})"


def call_repr(self: Any, **instead: Any) -> str:
    """Write a description as the call that makes it, arguments at their defaults left out.

    A keyword gives the value to write for a field whose value is no longer the argument.
    """
    shown = []
    for field in dataclasses.fields(self):
        value = instead.get(field.name, getattr(self, field.name))
        if not field.init:
            continue
        if field.default is dataclasses.MISSING:
            shown.append(_name(value))
        elif value is not field.default and value != field.default:
            shown.append(f"{field.name}={_name(value)}")
    return f"{_qualified(type(self))}({', '.join(shown)})"


def no_call(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the error for a description that is called in place of its `forward`."""
    raise TypeError(
        f"{type(self).__name__} is called by its forward method, {type(self).__name__.lower()}.forward(params, ...), "
        "with the parameters that init made"
    )


def set_fields(description: object, **values: object) -> None:
    """Set fields of a frozen description while it is being made."""
    for name, value in values.items():
        object.__setattr__(description, name, value)


def frozen(value: object) -> Any:
    """Return an argument as a value of its own, which compares by value: sequences as tuples, scalars as numbers.

    NumPy's scalars would promote float32 where Python's numbers do not.
    """
    if isinstance(value, (list, tuple)):
        return tuple(frozen(part) for part in value)
    if isinstance(value, dict):
        return {key: frozen(part) for key, part in value.items()}
    if isinstance(value, functools.partial):
        return ComparablePartial(value.func, *frozen(value.args), **frozen(value.keywords))
    return plain(value)


def plain(value: Any) -> Any:
    """Return a scalar of NumPy, or an array without axes, as Python's number, truth value or text."""
    is_scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if is_scalar else value


def set_plain(description: Any) -> None:
    """Convert NumPy's scalars among a description's arguments to Python's, which print and pickle in one way."""
    for field in dataclasses.fields(description):
        if field.init:
            set_fields(description, **{field.name: plain(getattr(description, field.name))})


def is_number(value: object) -> TypeGuard[float]:
    """Whether a setting is a real number, Python's or NumPy's, and no boolean."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def size(name: str, value: object, least: int = 1) -> int:
    """Return a size as an int, once it is checked to be an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer of at least {least}, but is {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {value}")
    if value > MOST_UNITS:
        raise ValueError(f"{name} must be at most {MOST_UNITS}, but has {int(value).bit_length()} bits")
    return int(value)


def set_sizes(description: object, *names: str) -> None:
    """Check fields that are sizes, and store them as ints."""
    set_fields(description, **{name: size(name, getattr(description, name)) for name in names})


def check_flags(description: object, *names: str) -> None:
    """Check that fields are true or false: a word such as "no" would count as true."""
    for name in names:
        value = getattr(description, name)
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, but is {value!r}")


def sizes(name: str, values: object) -> tuple[int, ...]:
    """Return a sequence of sizes as a tuple of ints, each at least one."""
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
        raise TypeError(f"{name} must be a sequence of integers such as (256, 256), but is {values!r}")
    if len(values) > MOST_LAYERS:
        raise ValueError(f"{name} must be at most {MOST_LAYERS} sizes, but are {len(values)}")
    return tuple(size(f"{name}[{index}]", value) for index, value in enumerate(values))


def shape(name: str, value: object, least: int = 1) -> int | tuple[int, ...]:
    """Return a shape, an integer or a sequence of them, as an int or a tuple of ints of at least `least`.

    Of a `Box` it is the shape of its arrays.
    """
    more = ""
    if is_space(value):
        value = box_shape(name, value)
        more = "; to an actor pass its bounds too: low=box.low, high=box.high" if name == "action_shape" else ""
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
        if hasattr(value, "shape") and not isinstance(value, np.integer):
            raise TypeError(
                f"{name} must be an integer, a sequence of integers or a Box, but is {value!r:.80}; pass its shape"
            )
        return size(name, value, least)
    if len(value) > MOST_AXES:
        raise ValueError(f"{name} must be a shape of at most {MOST_AXES} axes, as arrays have, but has {len(value)}")
    if len(value) == 0:
        raise ValueError(
            f"{name} must be an integer or a sequence with at least one, but is empty; a single number is "
            f"{name}=1{more}"
        )
    return tuple(size(f"{name}[{index}]", part, least) for index, part in enumerate(value))


def width(shape: Shape) -> int:
    """Return how many numbers an array of a shape holds."""
    if isinstance(shape, (int, np.integer)):
        return int(shape)
    axes: Any = shape.shape if is_box(shape) else shape
    return math.prod(map(int, axes))


def _name(value: object) -> str:
    if not isinstance(value, type):
        return repr(value)
    return f"{value.__module__.split('.')[0]}.{_qualified(value)}"


def _qualified(kind: type) -> str:
    """Return a class's name; for one of `npnets.discrete` with that module, as `npnets.Actor` is another class."""
    return f"discrete.{kind.__qualname__}" if kind.__module__.startswith("npnets.discrete.") else kind.__qualname__

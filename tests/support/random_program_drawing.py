"""Draws random programs: the values so far, and operations that fit them.

A family is a function that takes a `Drawing` and returns an `Operation`, or raises `NoFit` if it finds no arguments.
Families read the values of the oracle, so that operations avoid poles, kinks, and values so large that rounding would
exceed a finite difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from random_program_reference import SCOPE
from random_program_source import REFUSALS, Inputs, Operation, Program, cast, literal

Family = Callable[["Drawing"], Operation]

LARGEST, MOST_ENTRIES, MOST_AXES = 8.0, 48, 4
MARGIN = 0.02


class NoFit(Exception):
    """No arguments among the values so far fit a family."""


def drawn_array(rng: numpy.random.Generator, shape: tuple[int, ...], dtype: Any = numpy.float64) -> Any:
    """Return multiples of 1/64, which every dtype represents exactly and which print short."""
    return (rng.integers(-150, 151, shape) / 64).astype(dtype)


class Drawing:
    """The values of a program so far, by the oracle, and random choices among them.

    `narrow` programs have no array that is not float32, and `wide` ones no input that is.
    """

    def __init__(self, rng: numpy.random.Generator, inputs: Inputs, narrow: bool) -> None:
        self.rng, self.inputs, self.narrow = rng, inputs, narrow
        self.wide = all(getattr(x, "dtype", numpy.float64) == numpy.float64 for x in inputs.values())
        self.scope: dict[str, Any] = dict(SCOPE)
        self.values: dict[str, Any] = dict(cast(inputs, numpy.float64))
        self.constants: dict[str, Any] = {}
        self.operations: list[Operation] = []

    # -- choices ------------------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """Return true with some probability."""
        return bool(self.rng.random() < probability)

    def choice(self, options: Sequence[Any]) -> Any:
        """Return one of some options."""
        if not len(options):
            raise NoFit
        return options[int(self.rng.integers(len(options)))]

    def integer(self, low: int, high: int) -> int:
        """Return an integer within `[low, high]`."""
        if high < low:
            raise NoFit
        return int(self.rng.integers(low, high + 1))

    def require(self, condition: Any) -> None:
        """Raise `NoFit` unless a condition holds."""
        if not condition:
            raise NoFit

    # -- values -------------------------------------------------------------------------------------------------------

    def variable(self, fits: Callable[[Any], bool] = lambda value: True) -> str:
        """Return a floating-point variable, perhaps a Python number, later ones more often."""
        names = [name for name, value in self.values.items() if is_real(value) and fits(value)]
        return self.choice(names[-4:] if self.chance(0.6) else names)  # type: ignore[no-any-return]

    def array(self, fits: Callable[[Any], bool] = lambda value: True) -> str:
        """Return a floating-point variable with the methods of an array."""
        return self.variable(lambda value: hasattr(value, "dtype") and fits(value))

    def discrete(self, kind: str) -> str:
        """Return a variable of integers (`"i"`) or booleans (`"b"`)."""
        return self.choice([n for n, v in self.values.items() if numpy.asarray(v).dtype.kind == kind])  # type: ignore[no-any-return]

    def value(self, expression: str) -> Any:
        """Return the oracle's value of an expression."""
        return eval(expression, {**self.scope, **self.constants, **self.values})

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a variable's shape."""
        return numpy.shape(self.values[name])

    def axis(self, name: str) -> int:
        """Return an axis of a variable, counted from either end."""
        ndim = len(self.shape(name))
        return self.integer(-ndim, ndim - 1)

    def constant(self, value: Any) -> str:
        """Return the name of a constant, or a Python number as it is written."""
        if isinstance(value, (int, float)):
            return literal(value)
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def dtype(self) -> Any:
        """Return a dtype for a constant array."""
        wide = (numpy.float64, numpy.float64, numpy.float32, numpy.int64, numpy.int8)
        return numpy.float32 if self.narrow else self.choice(wide)

    def owner(self) -> str:
        """Return the module of a function: npnets, or NumPy, which dispatches traced arrays to npnets."""
        return "numpy" if self.chance(0.2) else "np"

    def new(self, count: int = 1) -> list[str]:
        """Return names for new variables."""
        made = sum(len(operation.makes) for operation in self.operations)
        return [f"v{made + index}" for index in range(count)]

    def assign(self, *expressions: str) -> Operation:
        """Return the operation that makes a variable of one of some expressions."""
        (new,) = self.new()
        return Operation((new,), (f"{new} = {self.choice(expressions)}",))

    # -- growing ------------------------------------------------------------------------------------------------------

    def grow(self, family: Family) -> bool:
        """Add an operation of a family, and return whether one was found that fits."""
        constants = dict(self.constants)
        try:
            operation = family(self)
            made = self._run(operation)
            self.require(all(_is_tame(value) for value in made.values()))
        except (NoFit, FloatingPointError, RuntimeWarning, ValueError, IndexError, ZeroDivisionError):
            self.constants = constants
            return False
        self.operations.append(operation)
        self.values.update(made)
        return True

    def _run(self, operation: Operation) -> dict[str, Any]:
        names = {**self.scope, **self.constants, **self.values}
        with numpy.errstate(divide="raise", invalid="raise", over="raise", under="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            exec("\n".join(operation.lines), names)
        return {name: names[name] for name in operation.makes}

    def err(self, family: Family) -> bool:
        """Add an operation of a family for which NumPy raises an error, and return whether one was found."""
        try:
            operation = family(self)
        except NoFit:
            return False
        try:
            self._run(operation)
        except REFUSALS:
            self.operations.append(operation)
            return True
        except (FloatingPointError, RuntimeWarning):
            pass
        return False

    def program(self, seed: int) -> Program:
        """Return the drawn operations as a program."""
        discrete = frozenset(name for name, value in self.values.items() if not is_real(value))
        return Program(seed, self.inputs, self.constants, tuple(self.operations), discrete, self.narrow)


def is_real(value: Any) -> bool:
    """Return whether a value is floating point."""
    return numpy.asarray(value).dtype.kind == "f"


def _is_tame(value: Any) -> bool:
    value = numpy.asarray(value)
    if value.ndim > MOST_AXES or value.size > MOST_ENTRIES:
        return False
    return value.dtype.kind != "f" or bool(numpy.all(numpy.isfinite(value)) and numpy.all(abs(value) <= LARGEST))


def call(function: str, *arguments: str) -> str:
    """Return the source of a call; arguments may be left empty."""
    return f"{function}({', '.join(argument for argument in arguments if argument)})"


def away_from(value: Any, pole: float, distance: float = MARGIN) -> bool:
    """Return whether every entry is at some distance from a number."""
    return bool(numpy.all(numpy.abs(numpy.asarray(value) - pole) > distance))


def is_spread(value: Any) -> bool:
    """Return whether no entries are equal or close to each other."""
    return away_from(numpy.diff(numpy.sort(numpy.ravel(value))), 0)

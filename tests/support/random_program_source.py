"""Programs on a pool of arrays: stored as Python source, run on any library's functions, printed reproducibly.

A program is a function of a tree of inputs, a dict with lists in it. It computes new values from old ones, one
operation after another, and returns those that no operation uses. The scope that it runs in decides what it computes
with: the same source runs on `npnets.numpy`, traced or not, and on the NumPy of the oracle.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy

import npnets

Scope = Mapping[str, Any]
Inputs = dict[str, Any]
Tree = Any

REFUSALS = (TypeError, ValueError, IndexError)
"""The errors of NumPy for a call, and those that npnets may raise."""

IMPORTS = """\
import copy
import numpy
import npnets.numpy as np
from npnets import functional
from npnets import grad
from npnets import jvp
from npnets import stop_gradient
from npnets import vjp
from npnets.distributions import Gaussian
from npnets.kernels.activations import Activation
from npnets.kernels.gaussian import log_density
from npnets.kernels.linear import linear_layers
""".splitlines()


def _imported() -> Scope:
    scope: dict[str, Any] = {}
    exec("\n".join(IMPORTS), scope)
    return scope


NPNETS = _imported()
"""The topics of programs."""

_VARIABLE = re.compile(r"\b[vx]\d+\b")


class Operation(NamedTuple):
    """One step of a program: Python statements, and the variables that they make."""

    makes: tuple[str, ...]
    lines: tuple[str, ...]

    def uses(self) -> set[str]:
        """Return the variables that it reads."""
        return set(_VARIABLE.findall("\n".join(self.lines))) - set(self.makes)


class Outputs(NamedTuple):
    """The values that a program returns: floating-point ones, and others, such as indices and masks."""

    real: list[Any]
    discrete: list[Any]

    def all(self) -> list[Any]:
        """Return both."""
        return [*self.real, *self.discrete]


@dataclasses.dataclass(frozen=True)
class Program:
    """A program with its inputs and constants.

    `discrete` names those of its variables that are not floating point; `narrow` says that every array in it is
    float32, so that all that it returns must be.
    """

    seed: int
    inputs: Inputs
    constants: dict[str, Any]
    operations: tuple[Operation, ...]
    discrete: frozenset[str]
    narrow: bool

    def tree(self) -> Tree:
        """Return its inputs as the tree that it is called with: the first one by its name, and a list of the others."""
        first, *rest = self.inputs
        return {first: self.inputs[first]} | ({"rest": [self.inputs[name] for name in rest]} if rest else {})

    def returned(self) -> list[str]:
        """Return the variables that no operation uses."""
        used: set[str] = set().union(*(operation.uses() for operation in self.operations))
        return [name for operation in self.operations for name in operation.makes if name not in used]

    @functools.cached_property
    def source(self) -> str:
        """The program as the source of a function."""
        first, *rest = self.inputs
        reads = [f"{first} = inputs[{first!r}]", *[f"[{', '.join(rest)}] = inputs['rest']"] * bool(rest)]
        real = ", ".join(name for name in self.returned() if name not in self.discrete)
        discrete = ", ".join(name for name in self.returned() if name in self.discrete)
        lines = [*reads, *(line for operation in self.operations for line in operation.lines)]
        return "def program(inputs):\n    " + "\n    ".join([*lines, f"return [{real}], [{discrete}]\n"])

    @functools.cached_property
    def _code(self) -> Any:
        return compile(self.source, f"<program {self.seed}>", "exec")

    def function(self, scope: Scope = NPNETS) -> Callable[[Tree], Outputs]:
        """Return the program as a function of its tree of inputs, on the functions of a scope."""
        names = {**scope, **self.constants}
        exec(self._code, names)
        return lambda inputs: Outputs(*names["program"](inputs))

    def __str__(self) -> str:
        """Return source that reproduces the program and its inputs."""
        names = set(re.findall(r"\w+", self.source))
        constants = [f"{name} = {literal(value)}" for name, value in self.constants.items() if name in names]
        inputs = [f"inputs = {_tree_literal(self.tree())}"]
        imports = [line for line in IMPORTS if line.split()[-1] in {*names, "numpy"}]
        return "\n".join([*imports, *constants, self.source, *inputs, "print(program(inputs))", ""])


def literal(value: Any) -> str:
    """Return the source of a constant or an input."""
    if isinstance(value, numpy.ndarray):
        dtype = "bool" if value.dtype == bool else f"numpy.{value.dtype.name}"
        return f"numpy.array({value.tolist()!r}, {dtype})" + f".reshape{value.shape}" * (not value.size)
    if isinstance(value, numpy.generic):
        return f"numpy.{type(value).__name__}({value.item()!r})"
    return repr(value)


def _tree_literal(x: Tree) -> str:
    if isinstance(x, dict):
        return "{" + ", ".join(f"{key!r}: {_tree_literal(value)}" for key, value in x.items()) + "}"
    return f"[{', '.join(map(literal, x))}]" if isinstance(x, list) else literal(x)


def cast(inputs: Tree, dtype: Any) -> Tree:
    """Return inputs with their arrays in one dtype; Python's numbers stay."""
    return npnets.tree.map(lambda leaf: leaf.astype(dtype) if hasattr(leaf, "dtype") else leaf, inputs)


# -- smaller programs -------------------------------------------------------------------------------------------------


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Return the smallest failing program that remains after dropping operations and inputs."""
    for smaller in _smaller(program):
        if fails(smaller):
            return shrunk(smaller, fails)
    return program


def _smaller(program: Program) -> Iterator[Program]:
    for index in reversed(range(len(program.operations))):
        yield _without(program, index)
        yield from _bypassed(program, index)
    used = set().union(*(operation.uses() for operation in program.operations))
    for name in program.inputs:
        inputs = {key: value for key, value in program.inputs.items() if key != name}
        if name not in used and inputs:
            yield dataclasses.replace(program, inputs=inputs)


def _without(program: Program, index: int) -> Program:
    """Return the program without an operation and those that depend on it."""
    lost = set(program.operations[index].makes)
    left = list(program.operations[:index])
    for operation in program.operations[index + 1 :]:
        if operation.uses() & lost:
            lost |= set(operation.makes)
        else:
            left.append(operation)
    return dataclasses.replace(program, operations=tuple(left))


def _bypassed(program: Program, index: int) -> Iterator[Program]:
    """Return programs in which the result of an operation is replaced by one of its arguments."""
    dropped = program.operations[index]
    for used in sorted(dropped.uses()):
        operations = [
            operation._replace(lines=tuple(_renamed(line, dropped.makes, used) for line in operation.lines))
            for position, operation in enumerate(program.operations)
            if position != index
        ]
        yield dataclasses.replace(program, operations=tuple(operations))


def _renamed(line: str, old: tuple[str, ...], new: str) -> str:
    return _VARIABLE.sub(lambda found: new if found[0] in old else found[0], line)

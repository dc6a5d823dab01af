"""The reference for random programs: values and derivatives by plain NumPy in float64, without npnets.

Derivatives are central differences with one step of Richardson's extrapolation. A difference is meaningless at a kink
and useless if its step is too long: `Difference.reliable` is whether two step sizes, and the differences to the
left and to the right, agree with each other; it does not use the derivative under test. The argument of
`stop_gradient` keeps its value while the inputs are varied.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
from random_program_reference import SCOPE
from random_program_source import REFUSALS, Outputs, Program, Tree, cast

import npnets

STEP = 2.0**-9
_AGREE = 1e-3


class Difference(NamedTuple):
    """A derivative by differences, and the disagreement of two step sizes and of the two sides."""

    value: float
    error: float

    @property
    def reliable(self) -> bool:
        """Whether the difference is meaningful, which it is not at a kink or close to a pole."""
        return bool(self.error < _AGREE * (1 + abs(self.value)))  # False for NaN too


class Oracle:
    """A program's outputs at its inputs, and derivatives there of `sum(weights * (y + y * y / 2))` over outputs `y`."""

    def __init__(self, program: Program) -> None:
        self._stopped: list[Any] = []
        self._replayed: Iterator[Any] | None = None
        self._function = program.function({**SCOPE, "stop_gradient": self._stop})
        self._inputs = cast(program.tree(), numpy.float64)
        self.outputs = self._run(self._inputs)
        rng = numpy.random.default_rng(program.seed)
        self.weights = [rng.uniform(0.5, 1.5, numpy.shape(y)) for y in self.outputs.real]
        self.value = self._loss(self.outputs)

    def _stop(self, x: Any) -> Any:
        """Return the value of the first run in all later runs."""
        if self._replayed is not None:
            return next(self._replayed)
        self._stopped.append(copy.deepcopy(x))  # which may be a buffer that is refilled
        return x

    def _run(self, inputs: Tree) -> Outputs:
        with numpy.errstate(all="ignore"):
            return self._function(inputs)

    def _loss(self, outputs: Outputs) -> float:
        return float(sum(numpy.sum(w * (y + y * y / 2)) for w, y in zip(self.weights, outputs.real, strict=True)))

    def at(self, *moves: tuple[float, Tree]) -> float:
        """Return the weighted sum with the inputs moved by steps in some directions; NaN where that is an error."""
        x = self._inputs
        for step, v in moves:
            x = npnets.tree.map(lambda p, q, step=step: p + step * q, x, v)
        self._replayed = iter(self._stopped)
        try:
            return self._loss(self._run(x))
        except REFUSALS:  # an index, or the number of entries that a mask selects, has become another one
            return math.nan

    def derivative(self, v: Tree) -> Difference:
        """Return the derivative in a direction."""

        def sides(h: float) -> tuple[float, float]:
            ahead, behind = self.at((h, v)), self.at((-h, v))
            return (ahead - behind) / (2 * h), (ahead - 2 * self.value + behind) / h

        return _extrapolated(sides)

    def second_derivative(self, u: Tree, v: Tree) -> Difference:
        """Return the mixed derivative in two directions."""

        def sides(h: float) -> tuple[float, float]:
            along_u, along_v = [self.at((s * h, u)) for s in (1, -1)], [self.at((s * h, v)) for s in (1, -1)]
            corners = {(s, t): self.at((s * h, u), (t * h, v)) for s in (1, -1) for t in (1, -1)}
            central = (corners[1, 1] - corners[1, -1] - corners[-1, 1] + corners[-1, -1]) / (4 * h * h)
            ahead = corners[1, 1] - along_u[0] - along_v[0] + self.value
            behind = corners[-1, -1] - along_u[1] - along_v[1] + self.value
            return central, (ahead - behind) / (h * h)

        return _extrapolated(sides)


def _extrapolated(sides: Callable[[float], tuple[float, float]]) -> Difference:
    """Extrapolate a central difference to a step of zero.

    `sides` returns the central difference and the jump between the right one and the left one. Without a kink the
    first changes with the square of the step only, and the second is in proportion to the step.
    """
    (coarse, wide), (fine, narrow) = sides(STEP), sides(STEP / 2)
    return Difference((4 * fine - coarse) / 3, abs(fine - coarse) + abs(narrow - wide / 2))

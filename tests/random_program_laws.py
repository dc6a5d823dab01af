"""What every random program must keep: values as the oracle's, derivatives as its differences, in every mode.

`judge` runs a program through all of it. `v` and `u` are directions, trees of random arrays shaped as the inputs; the
loss of a program is `sum(w * (y + y * y / 2))` over its outputs `y` with random weights `w`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
from backends import bits
from finite_differences import inner
from random_program_oracle import Difference, Oracle
from random_programs import NPNETS, Inputs, Outputs, Program, cast, shrunk

import npnets
import npnets.numpy as np

ERRORS = (TypeError, ValueError, IndexError)


class Disagreement(AssertionError):
    """A program breaks a law."""

    def __init__(self, law: str, came: Any, expected: Any) -> None:
        super().__init__(f"{law}:\n  came     {came}\n  expected {expected}")
        self.law = law


class Judgement(NamedTuple):
    """Whether a program's derivatives could be held against differences: not at a kink, where they mean nothing."""

    first_order: bool
    second_order: bool


def judge(program: Program) -> Judgement:
    """Hold a program to every law, or raise `Disagreement`."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            oracle = Oracle(program)
        except ERRORS as error:
            _refused(program, error)
            return Judgement(True, True)
        trial = Trial(program, oracle)
        trial.values()
        trial.reverse_mode()
        trial.repeated_pullbacks()
        trial.forward_mode()
        trial.second_order()
        trial.inner_derivatives()
        trial.own_dtypes()
        trial.arguments_left_alone()
        return Judgement(trial.first.reliable, trial.second.reliable)


def _refused(program: Program, error: Exception) -> None:
    """What NumPy refuses must be refused, whether it is being differentiated or not."""
    fun = program.function()
    calls: dict[str, Callable[[], Any]] = {
        "refused untraced": lambda: fun(program.inputs),
        "refused in reverse mode": lambda: npnets.vjp(lambda x: fun(x).real, program.inputs),
        "refused in forward mode": lambda: npnets.jvp(lambda x: fun(x).real, program.inputs, program.inputs),
    }
    for law, call in calls.items():
        try:
            answer = call()
        except ERRORS:
            continue
        except Exception as other:
            raise Disagreement(law, repr(other), repr(error)) from other
        raise Disagreement(law, answer, repr(error))


class Trial:
    """One program, in float64, beside its oracle."""

    def __init__(self, program: Program, oracle: Oracle) -> None:
        self.program, self.oracle, self.fun = program, oracle, program.function()
        self.x = cast(program.inputs, numpy.float64)
        self.before = bits(self.x)
        rng = numpy.random.default_rng([program.seed, 1])
        self.u, self.v = ({k: rng.normal(size=numpy.shape(leaf)) for k, leaf in self.x.items()} for _ in range(2))
        rounds = "float32" in program.source
        self.rtol = 1e-4 if rounds else 1e-7
        self.first: Difference = oracle.derivative(self.v)
        self.second: Difference = oracle.second_derivative(self.u, self.v)

    def loss(self, x: Inputs) -> Any:
        """Return what is differentiated."""
        return self._loss(self.fun(x))

    def _loss(self, outputs: Outputs) -> Any:
        terms = [np.sum(np.multiply(w, y + y * y / 2)) for w, y in zip(self.oracle.weights, outputs.real, strict=True)]
        return functools.reduce(np.add, terms, np.zeros(()))

    def real(self, x: Inputs) -> list[Any]:
        """Return the outputs that have derivatives."""
        return self.fun(x).real

    def values(self) -> None:
        """Hold values against the oracle's, and those that are traced against those that are not."""
        outputs = self.fun(self.x)
        self._alike("value untraced", outputs, self.oracle.outputs, self.rtol)
        (loss, traced), self.gradient = npnets.value_and_grad(
            lambda x: (self._loss(seen := self.fun(x)), seen), has_aux=True
        )(self.x)
        self._alike("value traced", traced, outputs, 1e-10)
        self._close("loss", loss, self.oracle.value, self.rtol)
        for name, leaf in self.x.items():
            _same("shape of the gradient", numpy.shape(self.gradient[name]), numpy.shape(leaf))

    def reverse_mode(self) -> None:
        """Hold the gradient against a difference."""
        self.scale = 1 + sum(float(numpy.sum(abs(numpy.asarray(g * self.v[k])))) for k, g in self.gradient.items())
        self.slope = float(inner(self.gradient, self.v))
        if self.first.reliable:
            self._close("gradient", self.slope, self.first.value, self.rtol, self.scale, self.first.error)

    def repeated_pullbacks(self) -> None:
        """Call a pullback twice, and once more when the returned value was overwritten."""
        value, pullback = npnets.vjp(self.real, npnets.tree.map(numpy.array, self.x))
        cotangent = [numpy.multiply(w, 1 + y) for w, y in zip(self.oracle.weights, value, strict=True)]
        first = pullback(cotangent)
        self._close("pullback", inner(first, self.v), self.slope, 1e-9, self.scale)
        _same("pullback called again", bits(pullback(cotangent)), bits(first))
        for leaf in value:
            if isinstance(leaf, numpy.ndarray) and leaf.flags.writeable:
                leaf[...] = numpy.nan
        _same("pullback after the value was overwritten", bits(pullback(cotangent)), bits(first))

    def forward_mode(self) -> None:
        """Hold forward mode against reverse mode."""
        value, tangent = npnets.jvp(self.loss, self.x, self.v)
        self._close("value in forward mode", value, self.oracle.value, self.rtol)
        self._close("tangent", tangent, self.slope, 1e-9, self.scale)

    def second_order(self) -> None:
        """Hold forward over reverse against a mixed difference, and other orders of the modes against it."""
        product = npnets.hvp(self.loss)(self.x, self.v)
        forward_over_reverse = inner(product, self.u)
        scale = self.scale + sum(float(numpy.sum(abs(numpy.asarray(g * self.u[k])))) for k, g in product.items())
        if self.second.reliable:
            second, error = self.second
            self._close("forward over reverse", forward_over_reverse, second, 10 * self.rtol, scale, error)
        reverse_over_reverse = npnets.grad(lambda x: inner(npnets.grad(self.loss)(x), self.v))(self.x)
        self._close("reverse over reverse", inner(reverse_over_reverse, self.u), forward_over_reverse, 1e-8, scale)
        along_v = npnets.jvp(lambda x: npnets.jvp(self.loss, x, self.v)[1], self.x, self.u)[1]
        self._close("forward over forward", along_v, forward_over_reverse, 1e-8, scale)
        reverse_over_forward = npnets.grad(lambda x: npnets.jvp(self.loss, x, self.v)[1])(self.x)
        self._close("reverse over forward", inner(reverse_over_forward, self.u), forward_over_reverse, 1e-8, scale)
        self.product, self.second_scale = product, scale

    def inner_derivatives(self) -> None:
        """Differentiate a gradient by a number that its loss multiplies the inputs with, and by which it is multiplied.

        With `f(t, x) = t * loss(t * x)` the derivative by `t`, at one, of the gradient by `x` is `2 g + H x`.
        """

        def outer(t: Any) -> Any:
            at = npnets.grad(lambda x: t * self.loss(npnets.tree.map(lambda leaf: leaf * t, x)))(self.x)
            return inner(at, self.u)

        if "stop_gradient" in self.program.source:
            return  # what is taken for a constant of `x` is one of `t`, but only by the inner derivative
        along_x = npnets.hvp(self.loss)(self.x, npnets.tree.map(numpy.asarray, self.x))
        expected = 2 * inner(self.gradient, self.u) + inner(along_x, self.u)
        size = self.second_scale + sum(float(numpy.sum(abs(numpy.asarray(g * self.u[k])))) for k, g in along_x.items())
        self._close("derivative of an inner gradient", npnets.grad(outer)(1.0), expected, 1e-8, size)

    def own_dtypes(self) -> None:
        """Run the program in the dtypes of its inputs: they are kept, and derivatives are those of float64, loosely."""
        x = self.program.inputs
        if not any(getattr(leaf, "dtype", None) == numpy.float32 for leaf in x.values()):
            return
        untraced = self.real(x)
        (_, traced), gradient = npnets.value_and_grad(
            lambda at: (self._loss(seen := self.fun(at)), seen.real), has_aux=True
        )(x)
        tangents = npnets.jvp(self.real, x, npnets.tree.map(numpy.float32, self.v))[1]
        product = npnets.hvp(self.loss)(x, self.v)
        dtypes = [numpy.asarray(y).dtype for y in untraced]
        if self.program.narrow:
            _same("dtypes untraced", dtypes, [numpy.float32] * len(dtypes))
        _same("dtypes traced", [numpy.asarray(y).dtype for y in traced], dtypes)
        _same("dtypes of tangents", [numpy.asarray(t).dtype for t in tangents], dtypes)
        for name, leaf in x.items():
            expected = (numpy.shape(leaf), getattr(leaf, "dtype", numpy.float64))
            for law, g in (("gradient", gradient[name]), ("product", product[name])):
                _same(f"shape and dtype of the {law}", (numpy.shape(g), g.dtype), expected)
        self._alike("value in float32", Outputs(untraced, []), Outputs(self.oracle.outputs.real, []), 1e-3)
        if self.first.reliable:
            self._close("gradient in float32", float(inner(gradient, self.v)), self.slope, 1e-3, self.scale)
        if self.second.reliable:
            self._close("product in float32", inner(product, self.u), inner(self.product, self.u), 1e-2, self.second_scale)

    def arguments_left_alone(self) -> None:
        """Nothing that a program was given has changed."""
        _same("inputs after all that", bits(self.x), self.before)

    def _alike(self, law: str, came: Outputs, expected: Outputs, rtol: float) -> None:
        for a, b in zip([*came.real, *came.discrete], [*expected.real, *expected.discrete], strict=True):
            _same(f"shape of the {law}", numpy.shape(a), numpy.shape(b))
            if not numpy.allclose(a, b, rtol, 10 * rtol, equal_nan=True):
                raise Disagreement(law, a, b)

    def _close(
        self, law: str, came: Any, expected: Any, rtol: float, scale: float = 1.0, error: float = 0.0
    ) -> None:
        if not abs(came - expected) <= rtol * (scale + abs(expected)) + error:
            raise Disagreement(law, came, expected)


def _same(law: str, came: Any, expected: Any) -> None:
    if came != expected:
        raise Disagreement(law, came, expected)


def law_broken_by(program: Program) -> str | None:
    """Return which law a program breaks; an error that only npnets raises breaks one too."""
    try:
        judge(program)
    except Disagreement as disagreement:
        return disagreement.law
    except Exception as error:
        return f"an error that NumPy does not raise: {type(error).__name__}"
    return None


def explained(program: Program) -> str:
    """Return the smallest program that breaks the law that a program breaks, and how."""
    law = law_broken_by(program)
    smallest = shrunk(program, lambda smaller: law_broken_by(smaller) == law)
    try:
        judge(smallest)
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    return f"program {program.seed} breaks a law: {law}\n\n{found}\n\n{smallest}"

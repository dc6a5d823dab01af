"""The laws of random programs: values of the oracle, and derivatives of its differences, in every mode.

`judge` tests a program by all of them. `u` and `v` are directions, trees of random arrays shaped as the inputs; the
loss of a program is `sum(w * (y + y * y / 2))` over its outputs `y` with random weights `w`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from backends import bits
from finite_differences import inner
from random_program_oracle import Oracle
from random_program_source import REFUSALS, Outputs, Program, Tree, cast, shrunk

import npnets
import npnets.numpy as nnp


class Disagreement(AssertionError):
    """A program violates a law."""

    def __init__(self, law: str, came: Any, expected: Any) -> None:
        super().__init__(f"came      {came}\nexpected  {expected}")
        self.law = law


class Judgement(NamedTuple):
    """The derivatives of a program that could be compared with differences, which have no meaning at a kink."""

    first_order: bool
    second_order: bool


def judge(program: Program) -> Judgement:
    """Test a program by every law; raise `Disagreement` if it violates one."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            oracle = Oracle(program)
        except REFUSALS as error:
            _hold_refusal(program, error)
            return Judgement(True, True)
        except Exception as error:
            raise Disagreement("the oracle runs it", repr(error), "no error, or a refusal") from error
        trial = Trial(program, oracle)
        trial.hold_values()
        trial.hold_first_order()
        trial.hold_pullback()
        trial.hold_second_order()
        trial.hold_inner_gradient()
        trial.hold_dtypes()
        _same("inputs are left alone", bits(trial.x), trial.before)
        return Judgement(trial.first.reliable, trial.second.reliable)


def _hold_refusal(program: Program, error: Exception) -> None:
    """Check that a call for which NumPy raises an error raises one here, with and without differentiation."""
    fun, x = program.function(), program.tree()
    calls: dict[str, Callable[[], Any]] = {
        "refused untraced": lambda: fun(x),
        "refused in reverse mode": lambda: npnets.vjp(lambda at: fun(at).real, x)[0],
        "refused in forward mode": lambda: npnets.jvp(lambda at: fun(at).real, x, x)[0],
    }
    for law, call in calls.items():
        try:
            returned = call()
        except REFUSALS:
            continue
        except Exception as other:
            raise Disagreement(law, repr(other), repr(error)) from other
        raise Disagreement(law, returned, repr(error))


def _same(law: str, came: Any, expected: Any) -> None:
    if came != expected:
        raise Disagreement(law, came, expected)


def _near(law: str, came: Any, expected: Any, tolerance: float) -> None:
    if not abs(came - expected) <= tolerance:  # not, so that NaN is a disagreement
        raise Disagreement(law, came, expected)


def _check_close(law: str, came: list[Any], expected: list[Any], rtol: float) -> None:
    for a, b in zip(came, expected, strict=True):
        _same(f"shape of the {law}", np.shape(a), np.shape(b))
        if not np.allclose(a, b, rtol, 10 * rtol, equal_nan=True):
            raise Disagreement(law, a, b)


def _magnitude(a: Tree, b: Tree) -> float:
    """Return the size of the terms of an inner product, to which its rounding error is proportional."""
    return float(inner(npnets.tree.map(np.abs, a), npnets.tree.map(np.abs, b)))


def _overwrite(x: Tree) -> None:
    for leaf in npnets.tree.leaves(x):
        if isinstance(leaf, np.ndarray):
            leaf[...] = np.nan


def _dtypes(leaves: list[Any]) -> list[Any]:
    return [np.asarray(leaf).dtype for leaf in leaves]


class Trial:
    """One program in float64, with its oracle."""

    def __init__(self, program: Program, oracle: Oracle) -> None:
        self.program, self.oracle, self.fun = program, oracle, program.function()
        self.x = cast(program.tree(), np.float64)
        self.before = bits(self.x)
        rng = np.random.default_rng([program.seed, 1])
        self.u, self.v = (npnets.tree.map(lambda p: rng.normal(size=np.shape(p)), self.x) for _ in range(2))
        self.first, self.second = oracle.derivative(self.v), oracle.second_derivative(self.u, self.v)
        rounds = "float32" in program.source
        self.rtol, self.rounding = (1e-4, 1e-5) if rounds else (1e-7, 1e-9)

    def loss(self, x: Tree) -> Any:
        """Return the loss."""
        return self.loss_of(self.fun(x).real)

    def loss_of(self, outputs: list[Any]) -> Any:
        """Return the loss of outputs."""
        terms = [nnp.sum(nnp.multiply(w, y + y * y / 2)) for w, y in zip(self.oracle.weights, outputs, strict=True)]
        return functools.reduce(nnp.add, terms, nnp.zeros(()))

    def loss_and_outputs(self, x: Tree) -> tuple[Any, Outputs]:
        """Return the loss, and all outputs of the program."""
        outputs = self.fun(x)
        return self.loss_of(outputs.real), outputs

    def hold_values(self) -> None:
        """Compare values with the oracle's, and traced values with untraced ones."""
        outputs = self.fun(self.x)
        (loss, traced), self.gradient = npnets.value_and_grad(self.loss_and_outputs, has_aux=True)(self.x)
        _check_close("value", outputs.all(), self.oracle.outputs.all(), self.rtol)
        _check_close("traced value", traced.all(), outputs.all(), self.rounding)
        _near("loss", loss, self.oracle.value, self.rtol * (1 + abs(self.oracle.value)))

    def hold_first_order(self) -> None:
        """Compare reverse mode with a difference, and forward mode with reverse mode."""
        shapes = [[np.shape(leaf) for leaf in npnets.tree.leaves(tree)] for tree in (self.gradient, self.x)]
        _same("shapes of the gradient", *shapes)
        self.slope = float(inner(self.gradient, self.v))
        self.scale = 1 + _magnitude(self.gradient, self.v)
        if self.first.reliable:
            _near("gradient", self.slope, self.first.value, self.rtol * self.scale + self.first.error)
        value, tangent = npnets.jvp(self.loss, self.x, self.v)
        _near("value in forward mode", value, self.oracle.value, self.rtol * (1 + abs(self.oracle.value)))
        _near("tangent", tangent, self.slope, self.rounding * self.scale)

    def hold_pullback(self) -> None:
        """Call a pullback again, and once more after all arrays of its caller were overwritten."""
        x = npnets.tree.map(np.array, self.x)
        value, pullback = npnets.vjp(lambda at: self.fun(at).real, x)
        cotangent = [np.multiply(w, 1 + y) for w, y in zip(self.oracle.weights, value, strict=True)]
        pulled = pullback(cotangent)
        _near("pullback", inner(pulled, self.v), self.slope, self.rounding * self.scale)
        before = bits(pulled)
        _overwrite(pulled)
        _same("pullback called again", bits(pullback(cotangent)), before)
        _overwrite([value, x])
        _same("pullback after all was overwritten", bits(pullback(cotangent)), before)

    def hold_second_order(self) -> None:
        """Compare forward over reverse with a mixed difference, and the other orders of the modes with it."""
        self.product = npnets.hvp(self.loss)(self.x, self.v)
        curvature = inner(self.product, self.u)
        self.second_scale = self.scale + _magnitude(self.product, self.u)
        if self.second.reliable:
            tolerance = 10 * self.rtol * self.second_scale + self.second.error
            _near("forward over reverse", curvature, self.second.value, tolerance)

        def tangent(x: Tree) -> Any:
            return npnets.jvp(self.loss, x, self.v)[1]

        rounding = 10 * self.rounding * self.second_scale
        reverse_over_reverse = npnets.grad(lambda x: inner(npnets.grad(self.loss)(x), self.v))(self.x)
        _near("reverse over reverse", inner(reverse_over_reverse, self.u), curvature, rounding)
        _near("reverse over forward", inner(npnets.grad(tangent)(self.x), self.u), curvature, rounding)
        _near("forward over forward", npnets.jvp(tangent, self.x, self.u)[1], curvature, rounding)

    def hold_inner_gradient(self) -> None:
        """Differentiate a gradient with respect to a number in its loss.

        The gradient by `x` of `t * loss(t * x)` has by `t`, at one, the derivative `2 g + H x`.
        """

        def gradient_along_u(t: Any) -> Any:
            scaled = npnets.grad(lambda x: t * self.loss(npnets.tree.map(lambda leaf: leaf * t, x)))
            return inner(scaled(self.x), self.u)

        along_x = npnets.hvp(self.loss)(self.x, npnets.tree.map(np.asarray, self.x))
        expected = 2 * inner(self.gradient, self.u) + inner(along_x, self.u)
        scale = self.second_scale + _magnitude(along_x, self.u) + _magnitude(self.gradient, self.u)
        rounding = 10 * self.rounding * scale
        _near("derivative of an inner gradient", npnets.grad(gradient_along_u)(1.0), expected, rounding)

    def hold_dtypes(self) -> None:
        """Run the program in the dtypes of its inputs: gradients have these dtypes, and nearly the values of float64.

        A program of float32 alone stays there. Otherwise dtypes may be others traced than untraced, because NumPy's
        operators promote what npnets' functions do not: an array beside one of NumPy's scalars.
        """
        x = self.program.tree()
        if np.float32 not in _dtypes(npnets.tree.leaves(x)):
            return
        untraced = self.fun(x).real
        (_, traced), gradient = npnets.value_and_grad(self.loss_and_outputs, has_aux=True)(x)
        product = npnets.hvp(self.loss)(x, self.v)
        tangents = npnets.jvp(lambda at: self.fun(at).real, x, self.v)[1]
        if self.program.narrow:
            for law, leaves in {"dtypes": untraced, "traced dtypes": traced.real}.items():
                _same(law, _dtypes(leaves), [np.float32] * len(leaves))
        _same("dtypes of tangents", _dtypes(tangents), _dtypes(traced.real))
        for law, tree in {"gradient": gradient, "product": product}.items():
            _same(f"dtypes of the {law}", _dtypes(npnets.tree.leaves(tree)), _dtypes(npnets.tree.leaves(x)))
        _check_close("value in float32", untraced, self.oracle.outputs.real, 1e-3)
        if self.first.reliable:
            _near("gradient in float32", inner(gradient, self.v), self.slope, 1e-3 * self.scale)
        if self.second.reliable:
            curvature = inner(self.product, self.u)
            _near("product in float32", inner(product, self.u), curvature, 1e-2 * self.second_scale)


# -- reports ----------------------------------------------------------------------------------------------------------


def broken_law(program: Program) -> str | None:
    """Return the law that a program violates; an error that NumPy does not raise is a violation too."""
    try:
        judge(program)
    except Disagreement as disagreement:
        return disagreement.law
    except Exception as error:
        return f"no {type(error).__name__}, since NumPy raises none"
    return None


def explained(program: Program) -> str:
    """Return the law that a program violates, and the smallest program found that violates it too."""
    law = broken_law(program)
    smallest = shrunk(program, lambda smaller: broken_law(smaller) == law)
    try:
        judge(smallest)
    except Exception as error:
        return f"program {program.seed} breaks the law: {law}\n{error}\n\n{smallest}"
    return f"program {program.seed} keeps every law"

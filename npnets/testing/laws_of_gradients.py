"""Laws of gradients: they agree with finite differences, are not zero everywhere, and are finite.

Symbols: `phi` is a weighted sum of the answers, as a function of a distance `t` along a random direction in one array;
`slope` what the gradient says of `phi'(0)`. A difference counts against a gradient only if two step sizes contradict it
beyond rounding and curvature, at three points close by: a kink such as relu's, in the way of a step or under the point
itself, raises no alarm.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as onp

import npnets.numpy as np
from npnets import tree
from npnets.autodiff import bare, value_and_grad
from npnets.backend import to_numpy
from npnets.testing.arrays import drawn_like, is_floating, parameters_from
from npnets.testing.law import Breach, Law
from npnets.testing.laws_of_answers import expect_finite
from npnets.testing.trial import LARGE, Trial
from npnets.tree import Tree

POINTS, JITTER = 3, 1e-2
ATTEMPTS = 100


class _Loss:
    """A weighted sum of a network's answers, as a function of all that it can be differentiated by."""

    def __init__(self, trial: Trial, given: dict[str, Any], seed: int) -> None:
        self._trial, self._given, self._seed = trial, given, seed

    def __call__(self, at: Tree) -> Any:
        return self.terms(at)[0]

    def terms(self, at: Tree) -> tuple[Any, float]:
        """Return the sum, and the sum of the sizes of its terms, which rounding goes by."""
        answers, _ = self._trial.run(at["params"], {**self._given, **at["inputs"]})
        rng = onp.random.default_rng(self._seed)
        total: Any = 0.0
        size = 0.0
        for answer in answers.values():
            weighted = answer * drawn_like(bare(answer), rng)
            total = total + np.sum(weighted)
            size += float(to_numpy(abs(bare(weighted)).sum()))
        return total, size

    def gradient(self, at: Tree) -> Tree:
        """Return the gradient by parameters and inputs."""
        try:
            return value_and_grad(self)(at)[1]
        except Exception as error:
            self(at)  # which raises too, if it is not the gradient's fault
            first = error.__cause__ if isinstance(error, Breach) and error.__cause__ else error
            raise Breach(
                "a gradient of the answers by parameters and inputs",
                f"{type(first).__name__}: {first}",
                "forward is not written in npnets.numpy (import npnets.numpy as np), or turns arrays into numbers",
            ) from first


def _parts(trial: Trial, params: Tree, given: dict[str, Any]) -> Tree:
    """Return what a network is differentiated by: its parameters, and inputs that may be any floating-point numbers."""
    free = [name for name, x in given.items() if is_floating(x) and (name != "obs" or trial.subject.obs is None)]
    return {"params": params, "inputs": {name: given[name] for name in free}}


def _gradients(trial: Trial) -> None:
    params, given = trial.params(spreads=(0.1, 0.3)), trial.inputs(trial.batch())
    loss = _Loss(trial, given, trial.seed("seed of weights and directions"))
    found = None
    for point in range(POINTS):
        rng = onp.random.default_rng(point)
        found = _contradiction(loss, tree.map(functools.partial(_moved, rng), _parts(trial, params, given)), rng)
        if found is None:
            return
    assert found is not None
    path, slope, difference = found
    raise Breach(
        f"the gradient by {path}, along a random direction, to be what finite differences say: {difference:.6g}",
        f"{slope:.6g}",
        "a gradient that was stopped on its way: stop_gradient, or numbers taken out of an array"
        if slope == 0
        else "a derivative written by hand that is wrong",
    )


def _moved(rng: onp.random.Generator, leaf: Any) -> Any:
    """Return an array a little away from where it was, so that it lies on no kink."""
    return leaf + JITTER * drawn_like(leaf, rng)


def _contradiction(loss: _Loss, at: Tree, rng: onp.random.Generator) -> tuple[str, float, float] | None:
    """Return the first path by which gradient and finite differences contradict each other, and both numbers."""
    gradient = loss.gradient(at)
    start, size = loss.terms(at)
    for path, leaf, g in zip(tree.paths(at), tree.leaves(at), tree.leaves(gradient), strict=True):
        direction = drawn_like(leaf, rng)
        slope = float(to_numpy((g * direction).sum()))

        def phi(t: float, leaf: Any = leaf, direction: Any = direction) -> float:
            return float(to_numpy(loss(tree.map(lambda x: x + t * direction if x is leaf else x, at))))

        difference = _difference(phi, float(to_numpy(start)), size, slope, onp.finfo(leaf.dtype).eps)
        if difference is not None:
            return path, slope, difference
    return None


def _difference(phi: Callable[[float], float], start: float, size: float, slope: float, eps: Any) -> float | None:
    """Return the finite difference that contradicts a slope; `None` if there is none, or a kink leaves it open."""
    coarse = float(eps) ** (1 / 3)
    for step in (coarse, coarse / 8):
        ahead, behind = (phi(step) - start) / step, (start - phi(-step)) / step
        central = (ahead + behind) / 2
        if not onp.isfinite(central):
            return None
        off = abs(slope - central)
        if off <= 10 * coarse * max(abs(slope), abs(central)) + 100 * float(eps) * size / step:
            return None
        finer = (phi(step / 2) - phi(-step / 2)) / step
        if off <= max(abs(ahead - behind), 4 * abs(central - finer)):
            return None
    return central


def _flow(trial: Trial) -> None:
    """Look for a point where the gradients are not zero, among many: where relu is dead there is another."""
    first = trial.seed("first seed")
    missing: set[str] = set()
    for seed in range(first, first + ATTEMPTS):
        given = trial.random_inputs(seed, 4)
        parts = _parts(trial, parameters_from(trial.net, seed, 1.0, onp.float64), given)
        gradient = _Loss(trial, given, seed).gradient(parts)
        missing = missing or {name for name, part in gradient.items() if tree.leaves(part)}
        missing -= {name for name, part in gradient.items() if any(leaf.any() for leaf in tree.leaves(part))}
        if not missing:
            return
    raise Breach(
        f"a gradient by {' and by '.join(sorted(missing))} that is not zero, at one of {ATTEMPTS} random points",
        "zeros at each of them",
        "answers that do not depend on it, a gradient that is stopped, or units that are all saturated",
    )


def _finite_gradients(trial: Trial) -> None:
    params, given = trial.params(onp.float32, (0.0, 0.1)), trial.inputs(trial.batch(), onp.float32, LARGE)
    gradient = _Loss(trial, given, trial.seed("seed of weights")).gradient(_parts(trial, params, given))
    expect_finite(gradient, "every gradient finite, for inputs up to a million")


GRADIENTS = Law("gradients", "gradients by parameters and inputs agree with finite differences", _gradients)
FLOW = Law("flow", "gradients by parameters and by inputs are not zero everywhere", _flow, examples=1)
FINITE_GRADIENTS = Law("finite gradients", "gradients are finite for inputs up to a million", _finite_gradients)

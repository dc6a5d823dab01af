"""Laws of gradients: they agree with finite differences, are not zero everywhere, and are finite.

Where there is a memory, it is differentiated through: by a state that is drawn, over three steps where sequences are
taken, and the new state counts among the answers.

Symbols: `phi` is a weighted sum of the answers, as a function of a distance `t` along a random direction in one array;
`slope` what the gradient says of `phi'(0)`. A difference counts against a gradient only if two step sizes contradict it
beyond rounding and curvature, at three points close by: a kink such as relu's, in the way of a step or under the point
itself, raises no alarm. The gradient in float32 is held against that in float64, loosely.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets import tree
from npnets.autodiff import bare, value_and_grad
from npnets.backend import to_numpy
from npnets.testing.arrays import drawn_like, is_floating, parameters_from, shown
from npnets.testing.law import Breach, Law
from npnets.testing.laws_of_answers import check_finite
from npnets.testing.trial import LARGE, Trial
from npnets.tree import Tree
from npnets.tree.structure import rebuild

POINTS, JITTER = 3, 1e-2
ATTEMPTS = 100
STEPS = 3
LOOSE = 1e-2


class _Loss:
    """A weighted sum of a network's answers and new state, as a function of all that it can be differentiated by."""

    def __init__(self, trial: Trial, given: dict[str, Any], seed: int, state: Tree = None, **options: Any) -> None:
        self._trial, self._given, self._seed, self._state, self._options = trial, given, seed, state, options
        self.has_memory = trial.subject.has_memory

    def __call__(self, at: Tree) -> Any:
        return self.terms(at)[0]

    def terms(self, at: Tree) -> tuple[Any, float]:
        """Return the sum, and the sum of the sizes of its terms, which rounding goes by."""
        state = _with_floating(self._state, at.get("state", {}))
        answers, new_state = self._trial.run(at["params"], {**self._given, **at["inputs"]}, state, **self._options)
        rng = np.random.default_rng(self._seed)
        total: Any = 0.0
        size = 0.0
        for answer in [*answers.values(), *_floating(new_state).values()]:
            weighted = answer * drawn_like(bare(answer), rng)
            total = total + nnp.sum(weighted)
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
                "forward is not written in npnets.numpy (import npnets.numpy as nnp), or turns arrays into numbers",
            ) from first


def _floating(state: Tree) -> dict[str, Any]:
    """Return the floating-point arrays of a state, by their paths, in the order of `tree.leaves`."""
    pairs = zip(tree.paths(state), tree.leaves(state), strict=True)
    return {path or "array": leaf for path, leaf in pairs if is_floating(bare(leaf))}


def _with_floating(state: Tree, arrays: dict[str, Any]) -> Tree:
    """Return a state with other floating-point arrays, those of `_floating`, in their places."""
    others = iter(arrays.values())
    return rebuild(state, iter([next(others, leaf) if is_floating(leaf) else leaf for leaf in tree.leaves(state)]))


def _parts(trial: Trial, params: Tree, given: dict[str, Any], state: Tree = None) -> Tree:
    """Return what a network is differentiated by: parameters, a state, and inputs if any numbers will do."""
    free = [name for name, x in given.items() if is_floating(x) and (name != "obs" or trial.subject.obs is None)]
    parts = {"params": params, "inputs": {name: given[name] for name in free}}
    return parts if state is None else {**parts, "state": _floating(state)}


def _inputs(trial: Trial, batch: int, **drawn: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw inputs, sequences where the network takes them, and return them with the options of the call."""
    if not trial.subject.carries_sequences:
        return trial.inputs(batch, **drawn), {}
    given = trial.inputs(batch, steps=STEPS, **drawn)
    if "all_steps" in trial.subject.names:
        return given, {"all_steps": True}
    return {name: x if name == "obs" or not np.ndim(x) else x[:, -1] for name, x in given.items()}, {}


def _gradients(trial: Trial) -> None:
    batch = trial.batch()
    params, (given, options) = trial.params(spreads=(0.1, 0.3)), _inputs(trial, batch)
    state = trial.state(batch) if trial.subject.has_memory else None
    loss = _Loss(trial, given, trial.seed("seed of weights and directions"), state, **options)
    found = None
    for point in range(POINTS):
        rng = np.random.default_rng(point)
        at = tree.map(functools.partial(_moved, rng), _parts(trial, params, given, state))
        found = _contradiction(loss, at, rng) or _imprecision(loss, at)
        if found is None:
            return
    assert found is not None
    raise found


def _moved(rng: np.random.Generator, leaf: Any) -> Any:
    """Return an array a little away from where it was, so that it lies on no kink."""
    return leaf + JITTER * drawn_like(leaf, rng)


def _contradiction(loss: _Loss, at: Tree, rng: np.random.Generator) -> Breach | None:
    """Return what is wrong with the first part of a gradient that finite differences contradict."""
    gradient = loss.gradient(at)
    start, size = loss.terms(at)
    for path, leaf, g in zip(tree.paths(at), tree.leaves(at), tree.leaves(gradient), strict=True):
        direction = drawn_like(leaf, rng)
        slope = float(to_numpy((g * direction).sum()))

        def phi(t: float, leaf: Any = leaf, direction: Any = direction) -> float:
            return float(to_numpy(loss(tree.map(lambda x: x + t * direction if x is leaf else x, at))))

        difference = _difference(phi, float(to_numpy(start)), size, slope, np.finfo(leaf.dtype).eps)
        if difference is not None:
            expected = f"along a random direction, to be what finite differences say: {difference:.6g}"
            return Breach(f"the gradient by {path}, {expected}", f"{slope:.6g}", _cause(slope, loss.has_memory))
    return None


def _cause(slope: float, has_memory: bool) -> str:
    if slope == 0:
        return "a gradient that was stopped on its way: stop_gradient, or numbers taken out of an array"
    stopped = ", or a memory through which it was stopped; if that is meant, skip this law" * has_memory
    return "a derivative written by hand that is wrong" + stopped


def _imprecision(loss: _Loss, at: Tree) -> Breach | None:
    """Return what float32 gradients differ in from those in float64 at the same point, beyond any rounding."""
    single = tree.map(lambda leaf: leaf.astype(np.float32), at)
    double = tree.map(lambda leaf: leaf.astype(np.float64), single)
    came, expected = (tree.to_numpy(loss.gradient(point)) for point in (single, double))
    scale = max([loss.terms(double)[1], *(float(np.abs(g).max(initial=0)) for g in tree.leaves(expected))])
    for path, g, exact in zip(tree.paths(came), tree.leaves(came), tree.leaves(expected), strict=True):
        if (np.abs(g - exact) > LOOSE * scale).any():
            return Breach(
                f"the gradient by {path} in float32 to be that in float64, {shown(exact)}",
                shown(g),
                "a derivative written by hand that is another for float32, or that rounds to fewer digits",
            )
    return None


def _difference(phi: Callable[[float], float], start: float, size: float, slope: float, eps: Any) -> float | None:
    """Return the finite difference that contradicts a slope; `None` if there is none, or a kink leaves it open."""
    coarse = float(eps) ** (1 / 3)
    for step in (coarse, coarse / 8):
        ahead, behind = (phi(step) - start) / step, (start - phi(-step)) / step
        central = (ahead + behind) / 2
        if not np.isfinite(central):
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
        parts = _parts(trial, parameters_from(trial.net, seed, 1.0, np.float64), given)
        gradient = _Loss(trial, given, seed).gradient(parts)
        missing = missing or {name for name, part in gradient.items() if tree.leaves(part)}
        missing -= {name for name, part in gradient.items() if any(leaf.any() for leaf in tree.leaves(part))}
        if not missing:
            return
    raise Breach(
        f"a gradient by {' and by '.join(sorted(missing))} that is not zero, at one of {ATTEMPTS} random points",
        "zeros at each of them",
        "outputs that do not depend on it, a gradient that is stopped, or units that are all saturated",
    )


def _finite_gradients(trial: Trial) -> None:
    params = trial.params(np.float32, (0.0, 0.1))
    given, options = _inputs(trial, trial.batch(), dtype=np.float32, limit=LARGE)
    at = _parts(trial, params, given)
    gradient = _Loss(trial, given, trial.seed("seed of weights"), **options).gradient(at)
    check_finite(gradient, "every gradient finite, for inputs up to a million")


GRADIENTS = Law("gradients", "gradients by parameters and inputs agree with finite differences", _gradients)
FLOW = Law("flow", "gradients by parameters and by inputs are not zero everywhere", _flow, examples=1)
FINITE_GRADIENTS = Law("finite gradients", "gradients are finite for inputs up to a million", _finite_gradients)

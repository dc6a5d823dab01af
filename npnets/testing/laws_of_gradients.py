"""Laws of gradients: they agree with finite differences, are finite and not always zero, and read no overwritten input.

Recurrent networks are differentiated with respect to a drawn state too, over three steps if they take sequences, and
the new state is part of the output.

Symbols: `phi(t)` is a weighted sum of the outputs at a distance `t` along a random direction in one array; `slope` is
`phi'(0)` computed from the gradient. A gradient is wrong only if finite differences with two step sizes contradict it
at three points close to each other, by more than rounding and curvature explain. Kinks such as that of relu, within a
step or at the point itself, therefore raise no false alarm. Gradients in float32 are compared with those in float64,
with a larger tolerance.
"""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

import npnets.numpy as nnp
from npnets import tree
from npnets.autodiff import bare, value_and_grad, vjp
from npnets.backend import Array, namespace, to_numpy
from npnets.discrete.noisy_linear import noise_paths
from npnets.normalization.network import statistics_paths
from npnets.testing.arrays import bits, check_equal, is_floating, normal_like, paths_and_leaves, shown
from npnets.testing.law import Law, Violation
from npnets.testing.laws_of_outputs import check_finite
from npnets.testing.network_under_test import Inputs
from npnets.testing.trial import LARGE, Trial
from npnets.tree import Tree
from npnets.tree.structure import rebuild

POINTS, JITTER = 3, 1e-2
ATTEMPTS = 100
STEPS = 3
LOOSE = 1e-2
OVERWRITTEN = 3.0


class _Loss:
    """A weighted sum of outputs and new state, as a function of everything the network can be differentiated by."""

    def __init__(self, trial: Trial, inputs: Inputs, seed: int, state: Tree = None, **options: Tree) -> None:
        self._trial, self._inputs, self._seed, self._state, self._options = trial, inputs, seed, state, options
        self.is_recurrent = trial.under_test.is_recurrent

    def __call__(self, at: Tree) -> Array:
        return self.terms(at)[0]

    def terms(self, at: Tree) -> tuple[Array, float]:
        """Return the sum, and the sum of the absolute values of its terms, to which rounding is proportional."""
        state = _with_floating(self._state, at.get("state", {}))
        result = self._trial.run(at["params"], {**self._inputs, **at["inputs"]}, state, **self._options)
        rng = np.random.default_rng(self._seed)
        sums, size = [], 0.0
        for output in [*result.outputs.values(), *_floating(result.state).values()]:
            weighted = output * normal_like(bare(output), rng)
            sums.append(nnp.sum(weighted))
            size += float(to_numpy(abs(bare(weighted)).sum()))
        return functools.reduce(nnp.add, sums), size

    def gradient(self, at: Tree) -> Tree:
        """Return the gradient with respect to parameters and inputs."""
        try:
            return value_and_grad(self)(at)[1]
        except Exception as error:
            self(at)  # raises the error if it does not come from the derivative
            first = error.__cause__ if isinstance(error, Violation) and error.__cause__ else error
            raise Violation(
                "a gradient of the outputs with respect to parameters and inputs",
                f"{type(first).__name__}: {first}",
                "forward is not written in npnets.numpy (import npnets.numpy as nnp), or turns arrays into numbers",
            ) from first


def _floating(state: Tree) -> dict[str, Array]:
    """Return the floating-point arrays of a state by their paths, in the order of `tree.leaves`."""
    return {path or "array": leaf for path, leaf in paths_and_leaves(state) if is_floating(bare(leaf))}


def _with_floating(state: Tree, arrays: dict[str, Array]) -> Tree:
    """Return a state with its floating-point arrays replaced by others, in the order of `_floating`."""
    others = iter(arrays.values())
    return rebuild(state, iter([next(others, leaf) if is_floating(leaf) else leaf for leaf in tree.leaves(state)]))


def _variables(trial: Trial, params: Tree, inputs: Inputs, state: Tree = None) -> Tree:
    """Return the arrays to differentiate by: parameters, state, and inputs that may be any floating-point numbers."""
    free = [name for name, x in inputs.items() if is_floating(x) and (name != "obs" or trial.under_test.obs is None)]
    variables = {"params": params, "inputs": {name: inputs[name] for name in free}}
    return variables if state is None else {**variables, "state": _floating(state)}


def _inputs(trial: Trial, dtype: DTypeLike = np.float64, limit: float = 10.0) -> tuple[Inputs, dict[str, Tree]]:
    """Draw inputs, sequences if the network takes them, and return them with the options of the call."""
    batch = trial.batch()
    if not trial.under_test.is_sequential:
        return trial.inputs(batch, dtype, limit), {}
    inputs = trial.inputs(batch, dtype, limit, steps=STEPS)
    if "all_steps" in trial.under_test.names:
        return inputs, {"all_steps": True}
    return {name: x if name == "obs" or not np.ndim(x) else x[:, -1] for name, x in inputs.items()}, {}


def _gradients(trial: Trial) -> None:
    params, (inputs, options) = trial.params(spreads=(0.1, 0.3)), _inputs(trial)
    state = trial.state(len(tree.leaves(inputs["obs"])[0])) if trial.under_test.is_recurrent else None
    loss = _Loss(trial, inputs, trial.seed("seed of weights and directions"), state, **options)
    variables = _variables(trial, params, inputs, state)
    found = []
    for point in range(POINTS):
        rng = np.random.default_rng(point)
        at = tree.map(lambda leaf, rng=rng: leaf + JITTER * normal_like(leaf, rng), variables)  # away from kinks
        violation = _contradiction(loss, at, rng) or _imprecision(loss, at)
        if violation is None:
            return
        found.append(violation)
    raise found[-1]


def _contradiction(loss: _Loss, at: Tree, rng: np.random.Generator) -> Violation | None:
    """Return the violation by the first part of a gradient that finite differences contradict."""
    gradient = loss.gradient(at)
    start, size = loss.terms(at)
    paths = (*noise_paths(at["params"]), *statistics_paths(at["params"]))
    constants = {f"params.{path}" for path in paths}
    for (path, leaf), g in zip(paths_and_leaves(at), tree.leaves(gradient), strict=True):
        if path in constants:
            continue
        direction = normal_like(leaf, rng)
        slope = float(to_numpy((g * direction).sum()))

        def phi(t: float, leaf: Array = leaf, direction: Array = direction) -> float:
            return float(to_numpy(loss(tree.map(lambda x: x + t * direction if x is leaf else x, at))))

        difference = _difference(phi, float(to_numpy(start)), size, slope, float(np.finfo(leaf.dtype).eps))
        if difference is not None:
            expected = f"along a random direction, to equal the finite difference {difference:.6g}"
            return Violation(f"the gradient by {path}, {expected}", f"{slope:.6g}", _cause(slope, loss.is_recurrent))
    return None


def _cause(slope: float, is_recurrent: bool) -> str:
    if slope == 0:
        return "a stopped gradient: stop_gradient, or numbers that were taken out of an array"
    stopped = ", or a gradient that is stopped at the state; if that is intended, skip this law" * is_recurrent
    return "a wrong derivative written by hand" + stopped


def _imprecision(loss: _Loss, at: Tree) -> Violation | None:
    """Return the violation by a float32 gradient that differs from that in float64 by more than rounding."""
    single = tree.map(lambda leaf: leaf.astype(np.float32), at)
    double = tree.map(lambda leaf: leaf.astype(np.float64), single)
    came, expected = (tree.to_numpy(loss.gradient(point)) for point in (single, double))
    scale = max([loss.terms(double)[1], *(float(np.abs(g).max(initial=0)) for g in tree.leaves(expected))])
    for (path, g), exact in zip(paths_and_leaves(came), tree.leaves(expected), strict=True):
        if (np.abs(g - exact) > LOOSE * scale).any():
            return Violation(
                f"the gradient by {path} in float32 to equal that in float64, {shown(exact)}",
                shown(g),
                "a derivative written by hand that is different for float32, or loses too much precision",
            )
    return None


def _difference(phi: Callable[[float], float], start: float, size: float, slope: float, eps: float) -> float | None:
    """Return the finite difference that contradicts a slope; `None` if none does, or a kink explains it."""
    coarse = eps ** (1 / 3)
    for step in (coarse, coarse / 8):
        ahead, behind = (phi(step) - start) / step, (start - phi(-step)) / step
        central = (ahead + behind) / 2
        if not np.isfinite(central):
            return None
        error = abs(slope - central)
        if error <= 10 * coarse * max(abs(slope), abs(central)) + 100 * eps * size / step:
            return None
        finer = (phi(step / 2) - phi(-step / 2)) / step
        if error <= max(abs(ahead - behind), 4 * abs(central - finer)):
            return None
    return central


def _flow(trial: Trial) -> None:
    """Look for points with gradients other than zero, among many, because relu units may be dead at some points."""
    missing: set[str] = set()
    for seed, params, inputs in trial.random_points(ATTEMPTS, 4):
        gradient = _Loss(trial, inputs, seed).gradient(_variables(trial, params, inputs))
        statistics = statistics_paths(gradient["params"])
        trained = [leaf for path, leaf in paths_and_leaves(gradient["params"]) if path not in statistics]
        parts = {**gradient, "params": trained, "inputs.act": gradient["inputs"].get("act", ())}
        missing = missing or {name for name, part in parts.items() if tree.leaves(part)}
        missing -= {name for name, part in parts.items() if any(leaf.any() for leaf in tree.leaves(part))}
        if not missing:
            return
    raise Violation(
        f"a gradient by {' and by '.join(sorted(missing))} other than zero, at one of {ATTEMPTS} random points",
        "zeros at all of them",
        "outputs that do not depend on it, a stopped gradient, or units that are all saturated",
    )


def _finite_gradients(trial: Trial) -> None:
    params = trial.params(np.float32, (0.0, 0.1))
    inputs, options = _inputs(trial, np.float32, LARGE)
    loss = _Loss(trial, inputs, trial.seed("seed of weights"), **options)
    gradient = loss.gradient(_variables(trial, params, inputs))
    check_finite(gradient, "finite gradients for inputs up to a million")


def _overwriting(trial: Trial) -> None:
    params, inputs = trial.params(), trial.inputs(trial.batch())
    outputs, pullback = vjp(lambda p: list(trial.run(p, inputs).outputs.values()), params)
    ones = tree.map(lambda leaf: namespace(leaf).ones_like(leaf), outputs)
    before = bits(pullback(ones))
    for leaf in tree.leaves(inputs):
        if is_floating(leaf) and leaf.ndim:
            leaf[...] = OVERWRITTEN
    check_equal(
        before,
        bits(pullback(ones)),
        "the same gradient after the input arrays were overwritten with other numbers",
        "an operation of your own keeps an input array for its backward pass; let it keep a copy",
    )


LAWS = (
    Law("gradients", "gradients with respect to parameters and inputs agree with finite differences", _gradients),
    Law("flow", "gradients with respect to parameters, inputs and actions are not zero everywhere", _flow, examples=1),
    Law("finite gradients", "gradients are finite for inputs up to a million", _finite_gradients),
    Law(
        "overwritten inputs",
        "overwriting the inputs after forward changes no gradient",
        _overwriting,
        examples=8,
    ),
)

"""Laws of what a network answers: its shape, dtype and bounds, and that it is finite."""

from typing import Any

import numpy as np

from npnets import tree
from npnets.continuous import VAE
from npnets.continuous.gaussian_head import SIGMA_MAX, SIGMA_MIN
from npnets.continuous.vae import LOG_STD_MAX, LOG_STD_MIN
from npnets.testing.arrays import is_floating, shown
from npnets.testing.law import Breach, Law
from npnets.testing.subject import Subject
from npnets.testing.trial import DTYPES, LARGE, LARGEST_BATCH, MANY_ROWS, Trial, together
from npnets.tree import Tree


def _shape(trial: Trial) -> None:
    params, whole = trial.params(np.float32), trial.inputs(LARGEST_BATCH, np.float32)
    for batch in range(1, LARGEST_BATCH + 1):
        given, _ = trial.first_rows(whole, None, batch)
        _check_shapes(trial, params, given, batch)
    given, _ = trial.first_rows(whole, None, 1)
    _check_shapes(trial, params, trial.repeated(given, 1), MANY_ROWS)


def _check_shapes(trial: Trial, params: Tree, given: dict[str, Any], batch: int) -> None:
    for name, answer in trial.run(params, given)[0].items():
        _check_shape(name, answer, trial.subject.shape_of(name, batch))


def _check_shape(name: str, answer: Any, expected: tuple[int, ...]) -> None:
    if answer.shape != expected:
        raise Breach(
            f"{name} of shape {expected}, (batch, output_dim)",
            f"shape {answer.shape}",
            "an axis lost to squeeze or to an index, or an output_dim that is not the width of the output"
            + "; an ensemble is told by check_network(net, members=...)" * (len(answer.shape) > len(expected)),
        )


def _dtype(trial: Trial) -> None:
    dtype, other = trial.draw("dtype of parameters", DTYPES), trial.draw("dtype of inputs", DTYPES)
    params = trial.params(dtype)
    answer = trial.run(params, trial.inputs(trial.batch(), other))
    for path, leaf in _leaves(together(answer) if tree.leaves(params) else {}):
        if is_floating(leaf) and leaf.dtype != dtype:
            raise Breach(
                f"{path} of the parameters' dtype, {dtype}",
                f"{leaf.dtype}",
                "an input that is not brought to the parameters' dtype, or an array that is made in a dtype of its "
                "own, as numpy.zeros and numpy.array do",
            )


def _initial_dtype(trial: Trial) -> None:
    dtype = trial.draw("dtype", DTYPES)
    for path, leaf in _leaves(trial.net.init(np.random.default_rng(trial.seed("seed")), dtype=dtype)):
        if getattr(leaf, "dtype", None) != dtype:
            raise Breach(
                f"every parameter an array of the dtype that init was asked for, {dtype}",
                f"{path} of {getattr(leaf, 'dtype', type(leaf).__name__)}",
                "init draws in double precision and does not cast",
            )


def _bound(trial: Trial) -> None:
    params = trial.params(np.float32, (0.0, 1.0, 100.0))
    answers, _ = trial.run(params, trial.inputs(trial.batch(), np.float32, LARGE))
    name, action = next(iter(tree.to_numpy(answers).items()))
    bound = np.asarray(trial.subject.net.max_action, np.float64)
    if (np.abs(action).astype(np.float64) > bound).any():
        raise Breach(
            f"every entry of {name} within max_action, {shown(bound)}",
            f"{name} = {shown(action)}, beyond it by {np.max(np.abs(action) - bound):.3g}",
            "the answer is not squashed, or rounded after it was squashed, or the bound itself was rounded up to the "
            "dtype; use npnets.functional.squash, which multiplies tanh by the bound last and rounds that toward zero",
        )


def _sigma(trial: Trial) -> None:
    low, high = _range_of_sigma(trial.subject)
    given = trial.inputs(trial.batch(), np.float32, LARGE if np.isfinite(high) else 10.0)
    answers, _ = trial.run(trial.params(np.float32), given)
    for name, sigma in tree.to_numpy(answers).items():
        if name in ("sigma", "std") and not ((sigma > 0) & (sigma >= low) & (sigma <= high)).all():
            raise Breach(
                f"{name} positive" + f", and within [{low:.4g}, {high:.4g}]" * bool(np.isfinite(high)),
                f"{name} = {shown(sigma)}",
                "a deviation that is not made by exp or softplus, or whose logarithm is not clipped before; an answer "
                "of two arrays is read as mean and standard deviation: if it is something else, skip this law",
            )


def _range_of_sigma(subject: Subject) -> tuple[float, float]:
    """Return the bounds of a standard deviation, a little wider for rounding."""
    if isinstance(subject.net, VAE):
        lowest, highest = LOG_STD_MIN, LOG_STD_MAX
    elif getattr(subject.net, "conditioned_sigma", False):
        lowest, highest = SIGMA_MIN, SIGMA_MAX
    else:
        return 0.0, np.inf
    return float(np.exp(lowest)) * (1 - 1e-6), float(np.exp(highest)) * (1 + 1e-6)


def _finite(trial: Trial) -> None:
    given = trial.inputs(trial.batch(), np.float32, LARGE)
    answer = trial.run(trial.params(np.float32, (0.0, 0.1)), given)
    check_finite(together(answer), "every answer finite, for inputs up to a million")


def check_finite(arrays: Tree, expected: str) -> None:
    """Raise `Breach` unless every entry of a tree is finite."""
    for path, leaf in _leaves(tree.to_numpy(arrays)):
        if is_floating(leaf) and not np.isfinite(leaf).all():
            raise Breach(
                expected,
                f"{path} = {shown(leaf)}",
                "exp of a large number, a division by a difference or a norm, or the square root or logarithm of zero; "
                "limit what goes in",
            )


def _leaves(arrays: Tree) -> list[tuple[str, Any]]:
    return list(zip(tree.paths(arrays), tree.leaves(arrays), strict=True))


def _is_bounded(subject: Subject) -> bool:
    return getattr(subject.net, "max_action", None) is not None and not getattr(subject.net, "unbounded", False)


SHAPE = Law("shape", "outputs have the shape (batch, output_dim) for any batch size, one included", _shape, examples=8)
DTYPE = Law("dtype", "outputs and states have the dtype of the parameters, whatever the inputs have", _dtype)
INITIAL_DTYPE = Law(
    "initial dtype",
    "init(rng, dtype) makes parameters of that dtype",
    _initial_dtype,
    lambda subject: subject.init_takes_dtype,
)
BOUND = Law("bound", "no action is beyond max_action, not by a rounding either", _bound, _is_bounded)
SIGMA = Law("sigma", "a standard deviation is positive, and within its range", _sigma)
FINITE = Law("finite", "outputs are finite for inputs up to a million", _finite)

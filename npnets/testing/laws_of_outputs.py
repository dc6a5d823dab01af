"""Laws of outputs: their shape, dtype and bounds, and that they are finite."""

import inspect

import numpy as np

from npnets import tree
from npnets.continuous import VAE
from npnets.continuous.gaussian_head import SIGMA_MAX, SIGMA_MIN
from npnets.continuous.vae import LOG_STD_MAX, LOG_STD_MIN
from npnets.testing.arrays import is_floating, paths_and_leaves, shown
from npnets.testing.law import Law, Violation
from npnets.testing.network_under_test import Inputs, NetworkUnderTest
from npnets.testing.shapes import bounds_of
from npnets.testing.trial import DTYPES, LARGE, LARGEST_BATCH, MANY_ROWS, Trial
from npnets.tree import Tree


def _shape(trial: Trial) -> None:
    params, whole = trial.params(np.float32), trial.inputs(LARGEST_BATCH, np.float32)
    for batch in range(1, LARGEST_BATCH + 1):
        inputs, _ = trial.first_rows(whole, None, batch)
        _check_shapes(trial, params, inputs, batch)
    inputs, _ = trial.first_rows(whole, None, 1)
    _check_shapes(trial, params, trial.repeated(inputs, 1), MANY_ROWS)


def _check_shapes(trial: Trial, params: Tree, inputs: Inputs, batch: int) -> None:
    for name, output in trial.run(params, inputs).outputs.items():
        expected = trial.under_test.output_shape(name, batch)
        if output.shape != expected:
            raise Violation(
                f"{name} of shape {expected}, (batch, output_dim)",
                f"shape {output.shape}",
                "an axis removed by squeeze or by an index, or an output_dim that is not the width of the output"
                + "; for an ensemble use check_network(net, members=...)" * (len(output.shape) > len(expected)),
            )


def _dtype(trial: Trial) -> None:
    dtype, other = trial.draw("dtype of parameters", DTYPES), trial.draw("dtype of inputs", DTYPES)
    params = trial.params(dtype)
    result = trial.run(params, trial.inputs(trial.batch(), other))
    for path, leaf in paths_and_leaves(result.as_tree() if tree.leaves(params) else {}):
        if is_floating(leaf) and leaf.dtype != dtype:
            raise Violation(
                f"{path} of the parameters' dtype, {dtype}",
                f"{leaf.dtype}",
                "an input that is not converted to the parameters' dtype, or a new array in another dtype, such as "
                "numpy.zeros and numpy.array make",
            )


def _initial_dtype(trial: Trial) -> None:
    dtype = trial.draw("dtype", DTYPES)
    params = trial.net.init(np.random.default_rng(trial.seed("seed")), dtype=dtype)
    for path, leaf in paths_and_leaves(params):
        if getattr(leaf, "dtype", None) != dtype:
            raise Violation(
                f"every parameter to be an array of the dtype that was passed to init, {dtype}",
                f"{path} of {getattr(leaf, 'dtype', type(leaf).__name__)}",
                "init draws in float64 and does not convert to dtype",
            )


def _bound(trial: Trial) -> None:
    params = trial.params(np.float32, (0.0, 1.0, 100.0))
    outputs = trial.run(params, trial.inputs(trial.batch(), np.float32, LARGE)).outputs
    name, action = next(iter(tree.to_numpy(outputs).items()))
    low, high = bounds_of(trial.under_test.inner) or (-np.inf, np.inf)
    entries = action.reshape(len(action), -1).astype(np.float64)
    beyond = np.maximum(low - entries, entries - high)
    if (beyond > 0).any():
        raise Violation(
            f"every entry of {name} within its bounds, {shown(low)} to {shown(high)}",
            f"{name} = {shown(action)}, which exceeds it by {np.max(beyond):.3g}",
            "the output is not squashed, or is rounded after squashing, or the bound itself is rounded up to the "
            "dtype; use npnets.functional.squash, which rounds so that no bound is exceeded",
        )


def _sigma(trial: Trial) -> None:
    low, high = _sigma_range(trial.under_test)
    inputs = trial.inputs(trial.batch(), np.float32, LARGE if np.isfinite(high) else 10.0)
    outputs = trial.run(trial.params(np.float32), inputs).outputs
    for name, sigma in tree.to_numpy(outputs).items():
        if name in ("sigma", "std") and not ((sigma > 0) & (sigma >= low) & (sigma <= high)).all():
            raise Violation(
                f"{name} positive" + f", and within [{low:.4g}, {high:.4g}]" * bool(np.isfinite(high)),
                f"{name} = {shown(sigma)}",
                "a standard deviation without exp or softplus, or whose logarithm is not clipped; two output arrays "
                "are taken for a mean and a standard deviation: if yours are something else, skip this law",
            )


def _sigma_range(network: NetworkUnderTest) -> tuple[float, float]:
    """Return the bounds of a standard deviation, slightly widened for rounding."""
    if isinstance(network.inner, VAE):
        lowest, highest = LOG_STD_MIN, LOG_STD_MAX
    elif getattr(network.inner, "conditioned_sigma", False):
        lowest, highest = SIGMA_MIN, SIGMA_MAX
    else:
        return 0.0, np.inf
    return float(np.exp(lowest)) * (1 - 1e-6), float(np.exp(highest)) * (1 + 1e-6)


def _finite(trial: Trial) -> None:
    inputs = trial.inputs(trial.batch(), np.float32, LARGE)
    result = trial.run(trial.params(np.float32, (0.0, 0.1)), inputs)
    check_finite(result.as_tree(), "finite outputs for inputs up to a million")


def check_finite(arrays: Tree, expected: str) -> None:
    """Raise `Violation` unless every entry of a tree is finite."""
    for path, leaf in paths_and_leaves(tree.to_numpy(arrays)):
        if is_floating(leaf) and not np.isfinite(leaf).all():
            raise Violation(
                expected,
                f"{path} = {shown(leaf)}",
                "exp of a large number, division by a difference or a norm, or the square root or logarithm of zero; "
                "clip the argument",
            )


def _init_takes_dtype(network: NetworkUnderTest) -> bool:
    return "dtype" in inspect.signature(network.net.init).parameters


def _is_bounded(network: NetworkUnderTest) -> bool:
    return bounds_of(network.inner) is not None and not getattr(network.inner, "unbounded", False)


SHAPE = Law(
    "shape", "outputs have the shape (batch, output_dim) for every batch size, including one", _shape, examples=8
)
LAWS = (
    Law("dtype", "outputs and states have the dtype of the parameters, whatever the dtype of the inputs", _dtype),
    Law("initial dtype", "init(rng, dtype) makes parameters of that dtype", _initial_dtype, _init_takes_dtype),
    Law("finite", "outputs are finite for inputs up to a million", _finite),
    Law("bound", "no action exceeds its bounds, not even by rounding", _bound, _is_bounded),
    Law("sigma", "standard deviations are positive and within their range", _sigma),
)

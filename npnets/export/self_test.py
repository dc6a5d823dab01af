"""The self-test of an exported file: inputs, with the outputs that npnets computes for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array
from npnets.export.interface import Arrays, Reference, Shapes
from npnets.tree import Tree

CASES = 8
_SCALES = np.array([0, 1, 1, 1, 1, 1, 10, 10])
_TRIES = 20
_NUDGE = 1e-4

Call = Callable[[Arrays, Tree], Reference]
Ranges = dict[str, tuple[Any, Any]]
"""By the name of an input: its middle and its half width or deviation, numbers or arrays of its shape."""


def self_test(
    call: Call, shapes: Shapes, state: tuple[int, int] | None, ranges: Ranges, dtype: Any, seed: int
) -> tuple[Arrays, Tree, Reference]:
    """Draw inputs, and compute their outputs.

    Parameters
    ----------
    call : callable
        From inputs by name, each with an axis of cases, and a state to outputs.
    shapes : dict
        Shapes of the inputs.
    state : tuple of int, optional
        Shape of `hidden` and `cell` of a recurrent network.
    ranges : dict
    dtype : dtype
        That of the parameters. Drawn numbers are float32 in any case, which every file holds exactly.
    seed : int

    Returns
    -------
    inputs, state, reference
        The first case is zeros, unless a small step of its inputs chooses another action.
    """
    rng = np.random.default_rng(seed)
    inputs, before = _drawn(rng, shapes, state, ranges, dtype, _SCALES)
    reference = call(inputs, before)
    for _ in range(_TRIES):
        doubtful = _doubtful(rng, call, inputs, before, reference)
        if not doubtful.any():
            break
        others, _ = _drawn(rng, shapes, state, ranges, dtype, np.ones(CASES))
        inputs = {name: _where(doubtful, others[name], value) for name, value in inputs.items()}
        reference = call(inputs, before)
    _check_finite(reference)
    return inputs, before, reference


def _drawn(
    rng: np.random.Generator,
    shapes: Shapes,
    state: tuple[int, int] | None,
    ranges: Ranges,
    dtype: Any,
    scales: NDArray[Any],
) -> tuple[dict[str, Array], dict[str, Array] | None]:
    inputs = {}
    for name, shape in shapes.items():
        middle, width = ranges.get(name, (0.0, 1.0))
        z = rng.standard_normal((CASES, *shape)) * scales.reshape((-1, *[1] * len(shape)))
        inputs[name] = _held(middle + width * z, dtype)
    if state is None:
        return inputs, None
    before = {name: _held(np.tanh(rng.standard_normal((CASES, *state))), dtype) for name in ("hidden", "cell")}
    for array in before.values():
        array[0] = 0
    return inputs, before


def _held(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return values.astype(np.float32).astype(dtype)


def _where(chosen: NDArray[np.bool_], one: Array, other: Array) -> Array:
    return np.where(chosen.reshape((-1, *[1] * (one.ndim - 1))), one, other)


def _doubtful(
    rng: np.random.Generator, call: Call, inputs: Arrays, before: Tree, reference: Reference
) -> NDArray[np.bool_]:
    """Return which cases choose another action after a small step, so that rounding alone might choose it."""
    doubtful = np.zeros(CASES, bool)
    if not np.issubdtype(reference.outputs[0].dtype, np.integer):
        return doubtful
    for _ in range(4):
        steps = {name: _NUDGE * (1 + np.abs(x)) * rng.standard_normal(x.shape) for name, x in inputs.items()}
        nudged = call({name: (x + steps[name]).astype(x.dtype) for name, x in inputs.items()}, before)
        differs = np.not_equal(nudged.outputs[0], reference.outputs[0])
        doubtful |= differs.reshape(CASES, -1).any(1)
    return doubtful


def _check_finite(reference: Reference) -> None:
    if not all(np.isfinite(output).all() for output in reference.outputs):
        raise ValueError(
            "cannot export: the network's outputs are not finite for inputs of ordinary size, drawn for the self-test; "
            "has training diverged?"
        )

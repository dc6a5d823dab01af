"""The self-test of an exported file: inputs, with the outputs that npnets computes for them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array
from npnets.export.interface import Reference
from npnets.export.subject import Subject
from npnets.tree import Tree

CASES = 8
_SCALES = np.array([0, 1, 1, 1, 1, 1, 10, 10])
_TRIES, _NUDGES = 20, 3


def self_test(subject: Subject, seed: int) -> tuple[dict[str, Array], Tree, Reference]:
    """Draw inputs, and compute their outputs.

    Parameters
    ----------
    subject : Subject
    seed : int

    Returns
    -------
    inputs : dict
        By name, with an axis of cases. The first case is zeros, and the last two are ten times as large as others; an
        action that rounding alone might choose has another case in its place. Numbers are float32, which every file
        holds exactly, in the dtype of the parameters.
    state : dict or None
        `hidden` and `cell` before the step.
    reference : Reference
    """
    rng = np.random.default_rng(seed)
    inputs, state = _drawn(rng, subject, _SCALES), _drawn_state(rng, subject)
    reference = subject.call(inputs, state)
    for _ in range(_TRIES):
        doubtful = _doubtful(rng, subject, inputs, state, reference)
        if not doubtful.any():
            break
        others = _drawn(rng, subject, np.ones(CASES))
        inputs = {name: np.where(_beside(doubtful, x), others[name], x) for name, x in inputs.items()}
        reference = subject.call(inputs, state)
    _check_finite(reference)
    return inputs, state, reference


def _drawn(rng: np.random.Generator, subject: Subject, scales: NDArray[Any]) -> dict[str, Array]:
    inputs = {}
    for name, shape in subject.shapes.items():
        middle, deviation = subject.ranges.get(name, (0.0, 1.0))
        z = rng.standard_normal((CASES, *shape))
        inputs[name] = _held(middle + deviation * z * _beside(scales, z), subject.dtype)
    return inputs


def _drawn_state(rng: np.random.Generator, subject: Subject) -> dict[str, Array] | None:
    if subject.state_shape is None:
        return None
    shape = (CASES, *subject.state_shape)
    state = {name: _held(np.tanh(rng.standard_normal(shape)), subject.dtype) for name in ("hidden", "cell")}
    for array in state.values():
        array[0] = 0
    return state


def _held(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return values.astype(np.float32).astype(dtype)


def _beside(one_a_case: NDArray[Any], x: Array) -> NDArray[Any]:
    """Return a number for each case with the axes of `x`."""
    return one_a_case.reshape((-1, *[1] * (x.ndim - 1)))


def _doubtful(
    rng: np.random.Generator, subject: Subject, inputs: dict[str, Array], state: Tree, reference: Reference
) -> NDArray[np.bool_]:
    """Return which cases choose another action if every parameter changes by a little."""
    doubtful = np.zeros(CASES, bool)
    if np.issubdtype(reference.outputs[0].dtype, np.integer):
        for _ in range(_NUDGES):
            nudged = subject.nudged(rng).call(inputs, state)
            differs = np.not_equal(nudged.outputs[0], reference.outputs[0])
            doubtful |= differs.reshape(CASES, -1).any(1)
    return doubtful


def _check_finite(reference: Reference) -> None:
    if not all(np.isfinite(output).all() for output in reference.outputs):
        raise ValueError(
            "cannot export: the network's outputs are not finite for inputs of ordinary size, drawn for the self-test; "
            "has training diverged?"
        )

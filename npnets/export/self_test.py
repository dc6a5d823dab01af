"""The self-test of an exported file: inputs, with the outputs that npnets computes for them.

Several inputs are drawn for each case, and the first is taken whose outputs change visibly with the parameters: where a
tanh is saturated, or one action is far better than all others, a wrong file would compute the right outputs too. Where
a network chooses, inputs lie close to others for which it chooses another action.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array
from npnets.export.interface import Reference
from npnets.export.subject import Subject
from npnets.export.tolerance import TOLERANCE
from npnets.tree import Tree

CASES = 8
_SCALES = np.array([0, 1, 1, 1, 1, 1, 10, 10])
_DRAWN = 32
"""Inputs that are drawn for each case."""
_NUDGES = 3
_ROUNDING, _CHANGE = 1e-5, 0.1
"""Relative changes of the parameters: one that rounding may amount to, and one that a self-test should report."""
_HALVINGS = 7
"""Steps by which an input comes close to where the action changes."""
_VISIBLE = 100.0
"""A change of an output, in errors that are allowed, beyond which another case is no better."""
_LARGEST, _TINY = np.finfo(np.float32).max, np.finfo(np.float32).tiny

Inputs = dict[str, Array]
Cases = tuple[Inputs, Tree, Reference]


def self_test(subject: Subject, seed: int) -> Cases:
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
    scales = np.repeat(_SCALES, _DRAWN)
    scales[1:_DRAWN] = 1  # in place of the zeros, should rounding choose their action
    inputs, state = _drawn(rng, subject, scales), _drawn_state(rng, subject, len(scales))
    reference = subject.call(inputs, state)
    _check_finite(reference)
    if reference.outputs[0].dtype.kind != "f":
        inputs = _close_to_another_choice(subject, (inputs, state, reference))
        reference = subject.call(inputs, state)
    cases = inputs, state, reference
    worth = _visibility(rng, subject, cases)
    worth[0] = np.inf
    worth[_doubtful(rng, subject, cases)] = -np.inf
    chosen = np.arange(CASES) * _DRAWN + worth.reshape(CASES, _DRAWN).argmax(1)
    inputs = {name: x[chosen] for name, x in inputs.items()}
    state = state and {name: x[chosen] for name, x in state.items()}
    return inputs, state, subject.call(inputs, state)


# -- what is drawn ----------------------------------------------------------------------------------------------------


def _drawn(rng: np.random.Generator, subject: Subject, scales: NDArray[Any]) -> Inputs:
    inputs = {}
    for name, shape in subject.shapes.items():
        middle, deviation = subject.ranges.get(name, (0.0, 1.0))
        z = rng.standard_normal((len(scales), *shape))
        inputs[name] = _held(middle + deviation * z * scales.reshape(-1, *[1] * len(shape)), subject.dtype)
    return inputs


def _drawn_state(rng: np.random.Generator, subject: Subject, count: int) -> Inputs | None:
    if subject.state_shape is None:
        return None
    shape = (count, *subject.state_shape)
    state = {name: _held(np.tanh(rng.standard_normal(shape)), subject.dtype) for name in ("hidden", "cell")}
    for array in state.values():
        array[0] = 0
    return state


def _held(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float32).astype(dtype)


def _close_to_another_choice(subject: Subject, cases: Cases) -> Inputs:
    """Return each input but the first moved towards one far from zero, to shortly before or behind another choice."""
    inputs, state, reference = cases
    count, own = len(inputs["obs"]), reference.outputs[0]
    near, far = np.zeros(count), np.ones(count)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        others = subject.call(_mixed(inputs, middle, subject.dtype), state).outputs[0]
        is_other = (others != own).reshape(count, -1).any(1)
        near, far = np.where(is_other, near, middle), np.where(is_other, middle, far)
    parts = np.where(np.arange(count) // _DRAWN % 2, far, near)
    parts[0] = 0
    return _mixed(inputs, parts, subject.dtype)


def _mixed(inputs: Inputs, parts: NDArray[Any], dtype: Any) -> Inputs:
    """Return inputs with a part of another one in each, of which the last quarter, those far from zero, are chosen."""
    mixed = {}
    for name, x in inputs.items():
        far = np.roll(np.resize(x[-len(x) // 4 :], x.shape), 1, axis=0)
        mixed[name] = _held(x + parts.reshape(-1, *[1] * (x.ndim - 1)) * (far - x), dtype)
    return mixed


def _check_finite(reference: Reference) -> None:
    if not all(np.isfinite(output).all() for output in reference.outputs):
        raise ValueError(
            "cannot export: the network's outputs are not finite for inputs of ordinary size, drawn for the self-test; "
            "has training diverged?"
        )


# -- what is chosen ---------------------------------------------------------------------------------------------------


def _visibility(rng: np.random.Generator, subject: Subject, cases: Cases) -> NDArray[np.float64]:
    """Return by how much the outputs of each case change with the parameters, in errors that are allowed."""
    found = np.zeros(len(cases[0]["obs"]))
    for before, after in _changed(rng, subject, cases, _CHANGE):
        allowed = TOLERANCE * np.abs(before).max() + _TINY if before.dtype.kind == "f" else 1 / _VISIBLE
        change = np.minimum(np.abs(np.nan_to_num(after) - before) / allowed, _VISIBLE)
        found += change.reshape(len(found), -1).mean(1)
    return found


def _doubtful(rng: np.random.Generator, subject: Subject, cases: Cases) -> NDArray[np.bool_]:
    """Return which cases choose another action if every parameter changes by a little."""
    doubtful = np.zeros(len(cases[0]["obs"]), bool)
    for before, after in _changed(rng, subject, cases, _ROUNDING):
        if before.dtype.kind != "f":
            doubtful |= (before != after).reshape(len(doubtful), -1).any(1)
    return doubtful


def _changed(rng: np.random.Generator, subject: Subject, cases: Cases, size: float) -> list[tuple[Array, Array]]:
    """Return outputs, with an axis of cases in front, beside those of parameters that are a little different."""
    inputs, state, reference = cases
    count, pairs = len(inputs["obs"]), []
    for seed, one in product(rng.integers(2**32, size=_NUDGES), (size, -size)):  # both ways: no action is preferred
        with np.errstate(over="ignore", invalid="ignore"):
            others = subject.nudged(np.random.default_rng(seed), one).call(inputs, state).outputs
        for both in zip(reference.outputs, others, strict=True):
            # The members of an ensemble come first.
            before, after = (array if len(array) == count else np.moveaxis(array, 0, 1) for array in both)
            pairs.append((before, after))
    return pairs

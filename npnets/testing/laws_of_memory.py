"""Laws of a state: it has one form, belongs row by row to the batch, starts at zero, and is read and written."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.testing.arrays import bits, changed, is_floating, parameters_from, rows
from npnets.testing.law import Breach, Law
from npnets.testing.laws_of_rows import row_of
from npnets.testing.subject import Subject
from npnets.testing.trial import Trial, rows_of_state, together
from npnets.tree import Tree

ATTEMPTS = 20


def _state(trial: Trial) -> None:
    batch = trial.batch()
    params, given = trial.params(), trial.inputs(batch)
    fresh = trial.run(params, given)[1]
    carried = trial.run(params, given, fresh)[1]
    forms = [{path: _form(leaf) for path, leaf in _pairs(state)} for state in (fresh, carried)]
    path = changed(*forms)
    if path is not None:
        raise Breach(
            f"a new state of the form of the state that was given, {forms[0]}",
            f"{forms[1]}",
            "the state grows with every call, or loses an axis or its dtype",
        )


def _form(leaf: Any) -> Any:
    return (np.shape(leaf), str(leaf.dtype)) if hasattr(leaf, "dtype") else type(leaf).__name__


def _pairs(state: Tree) -> list[tuple[str, Any]]:
    return list(zip(tree.paths(state), tree.leaves(state), strict=True))


def _rows_of_states(trial: Trial) -> None:
    batch = trial.batch(least=2)
    params, given, state = trial.params(), trial.inputs(batch), trial.state(batch)
    row = trial.draw("row", st.integers(0, batch - 1))
    whole = row_of(trial, trial.run(params, given, state), row)
    alone = trial.placed(rows_of_state(tree.to_numpy(state), [row], trial.subject.state_axes))
    single = row_of(trial, trial.run(params, rows(given, slice(row, row + 1)), alone), 0)
    cause = "states of the batch are mixed: a mean over them, or rows and layers in each other's places"
    trial.check_close(whole, single, f"row {row} with its own state as when it stands alone", cause)


def _zero_state(trial: Trial) -> None:
    batch = trial.batch()
    params, given = trial.params(), trial.inputs(batch)
    zeros = tree.map(lambda leaf: leaf * 0 if np.ndim(leaf) or is_number(leaf) else leaf, _like(trial, batch))
    without, with_zeros = trial.run(params, given), trial.run(params, given, zeros)
    trial.check_close(
        with_zeros,
        without,
        "a state of zeros to be the same as none",
        "no state starts from something else than zeros; if that is meant, skip this law",
    )


def is_number(leaf: Any) -> bool:
    """Whether a leaf of a state is a number, such as a counter."""
    return isinstance(leaf, (int, float)) or is_floating(leaf)


def _like(trial: Trial, batch: int) -> Tree:
    like = trial.subject.state_like(batch)
    return tree.map(lambda leaf: leaf.astype(np.float64) if is_floating(leaf) else leaf, like)


def _heed(trial: Trial) -> None:
    """Look for a state that makes a difference, and for one that is not returned as it came."""
    first = trial.seed("first seed")
    heeded = written = False
    for seed in range(first, first + ATTEMPTS):
        params = parameters_from(trial.net, seed, 1.0, np.float64)
        given, rng = trial.random_inputs(seed, 2), np.random.default_rng(seed)
        states = [trial.random_like(_like(trial, 2), rng) for _ in range(2)]
        if not any(is_floating(leaf) for leaf in tree.leaves(states)):
            return
        answers = [trial.run(params, given, state) for state in states]
        heeded = heeded or changed(*(bits(together(answer)) for answer in answers)) is not None
        written = written or changed(bits(answers[0][1]), bits(states[0])) is not None
        if heeded and written:
            return
    raise Breach(
        "a new state" if heeded else f"a given state to make a difference, at one of {ATTEMPTS} random points",
        "always the state that was given" if heeded else "the same answer and the same new state for any two",
        "forward returns the old state" if heeded else "forward starts from zeros whatever it is given",
    )


def _has_memory(subject: Subject) -> bool:
    return subject.has_memory


STATE = Law("state", "the new state has the form of the one that went in", _state, _has_memory)
STATE_ROWS = Law("rows of states", "each row of a batch has a state of its own", _rows_of_states, _has_memory)
ZERO_STATE = Law("zero state", "no state is the same as a state of zeros", _zero_state, _has_memory)
HEED = Law("heed", "the given state is read, and a new one is returned", _heed, _has_memory, 1)

"""Laws of states: their structure, the independence of their rows, the zero state, and that `forward` uses them."""

import operator

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.testing.arrays import bits, first_difference, is_floating, paths_and_leaves, rows
from npnets.testing.law import Law, Violation
from npnets.testing.trial import Trial
from npnets.tree import Tree

ATTEMPTS = 20


def _state(trial: Trial) -> None:
    batch = trial.batch()
    params, inputs = trial.params(), trial.inputs(batch)
    first = trial.run(params, inputs).state
    second = trial.run(params, inputs, first).state
    structures = [{path: _shape_and_dtype(leaf) for path, leaf in paths_and_leaves(state)} for state in (first, second)]
    if first_difference(*structures) is not None:
        raise Violation(
            f"a new state with the structure of the given one, {structures[0]}",
            f"{structures[1]}",
            "a state that grows with every call, or that loses an axis or its dtype",
        )


def _shape_and_dtype(leaf: Tree) -> object:
    return (np.shape(leaf), str(leaf.dtype)) if hasattr(leaf, "dtype") else type(leaf).__name__


def _rows_of_states(trial: Trial) -> None:
    batch = trial.batch(least=2)
    params, inputs, state = trial.params(), trial.inputs(batch), trial.state(batch)
    row = trial.draw("row", st.integers(0, batch - 1))
    whole = trial.row_of(trial.run(params, inputs, state), row)
    own = trial.rows_of_state(state, [row])
    single = trial.row_of(trial.run(params, rows(inputs, slice(row, row + 1)), own), 0)
    cause = "states of a batch are mixed: a mean over them, or the axes of rows and layers exchanged"
    trial.check_close(whole, single, f"row {row} with its state to equal the single row with that state", cause)


def _zero_state(trial: Trial) -> None:
    batch = trial.batch()
    params, inputs = trial.params(), trial.inputs(batch)
    like = trial.random_like(trial.under_test.state_like(batch), np.random.default_rng(0))
    zeros = tree.map(lambda leaf: leaf * 0 if np.ndim(leaf) or is_number(leaf) else leaf, like)
    without, with_zeros = trial.run(params, inputs), trial.run(params, inputs, zeros)
    trial.check_close(
        with_zeros.as_tree(),
        without.as_tree(),
        "a state of zeros to give the same as no state",
        "without a state, forward starts from something other than zeros; if that is intended, skip this law",
    )


def is_number(leaf: object) -> bool:
    """Whether a leaf of a state is a number, such as a counter, or an array of floating-point numbers."""
    return isinstance(leaf, (int, float)) or is_floating(leaf)


def _dependence(trial: Trial) -> None:
    """Try random points until two states give different results, and a returned state differs from the given one."""
    is_used = is_new = False
    for seed, params, inputs in trial.random_points(ATTEMPTS, 2):
        rng = np.random.default_rng(seed)
        states = [trial.random_like(trial.under_test.state_like(2), rng) for _ in range(2)]
        if not any(is_floating(leaf) for leaf in tree.leaves(states)):
            return
        results = [trial.run(params, inputs, state) for state in states]
        is_used = is_used or first_difference(*(bits(result.as_tree()) for result in results)) is not None
        is_new = is_new or first_difference(bits(results[0].state), bits(states[0])) is not None
        if is_used and is_new:
            return
    raise Violation(
        "a new state" if is_used else f"the result to depend on the given state, at one of {ATTEMPTS} random points",
        "always the given state" if is_used else "the same output and new state for any two given states",
        "forward returns the given state" if is_used else "forward ignores the given state and starts from zeros",
    )


_is_recurrent = operator.attrgetter("is_recurrent")
LAWS = (
    Law("state", "the new state has the structure, shapes and dtypes of the given state", _state, _is_recurrent),
    Law("rows of states", "each row of a batch depends on its own state alone", _rows_of_states, _is_recurrent),
    Law("zero state", "no state gives the same as a state of zeros", _zero_state, _is_recurrent),
    Law(
        "uses state", "the output depends on the given state, and the new state differs", _dependence, _is_recurrent, 1
    ),
)

"""Laws of rows: the output for each row of a batch depends on that row alone."""

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.backend import Array
from npnets.testing.arrays import is_floating, rows
from npnets.testing.law import Law
from npnets.testing.network_under_test import Inputs
from npnets.testing.trial import MANY_ROWS, Trial
from npnets.tree import Tree

_CAUSE = "something is computed over the batch: a mean, a norm, a sort, an index that is off by one"


def _rows(trial: Trial) -> None:
    params, inputs, row = _drawn(trial)
    whole = trial.row_of(trial.run(params, inputs), row)
    if not trial.under_test.needs_rng:
        single = trial.run(params, rows(inputs, slice(row, row + 1)))
        trial.check_close(whole, trial.row_of(single, 0), f"row {row} of the batch to equal the single row", _CAUSE)
    batch = len(tree.leaves(inputs["obs"])[0])
    others = trial.inputs(batch, suffix=" with other rows")
    _check_unchanged(trial, params, _replaced(inputs, others, row), row, whole)
    if not trial.under_test.needs_rng:
        _check_repeated(trial, params, inputs, batch)


def _check_repeated(trial: Trial, params: Tree, inputs: Inputs, batch: int) -> None:
    """Compare a small batch with a large one that repeats its rows."""
    copies = [row % batch for row in range(MANY_ROWS)]
    few = trial.row_of(trial.run(params, inputs), copies)
    many = trial.row_of(trial.run(params, trial.repeated(inputs, batch)), list(range(MANY_ROWS)))
    trial.check_close(many, few, f"{MANY_ROWS} rows that repeat {batch} rows to have the same outputs", _CAUSE)


def _nan(trial: Trial) -> None:
    params, inputs, row = _drawn(trial)
    lost = tree.map(lambda leaf: leaf * np.nan if is_floating(leaf) else leaf, inputs)
    whole = trial.row_of(trial.run(params, inputs), row)
    _check_unchanged(trial, params, _replaced(inputs, lost, row), row, whole, " to NaN")


def _drawn(trial: Trial) -> tuple[Tree, Inputs, int]:
    batch = trial.batch(least=2)
    return trial.params(), trial.inputs(batch), trial.draw("row", st.integers(0, batch - 1))


def _replaced(inputs: Inputs, others: Inputs, row: int) -> Inputs:
    """Return inputs with all rows but one replaced by those of others."""

    def mixed(own: Array, other: Array) -> Array:
        both = other.copy()
        both[row] = own[row]
        return both

    return inputs | {name: tree.map(mixed, inputs[name], others[name]) for name in inputs if name != "rng"}


def _check_unchanged(trial: Trial, params: Tree, inputs: Inputs, row: int, before: Tree, how: str = "") -> None:
    after = trial.row_of(trial.run(params, inputs), row)
    trial.check_close(after, before, f"row {row} to be unchanged when the other rows change{how}", _CAUSE)


LAWS = (
    Law("rows", "each row of a batch has the output that it has alone", _rows),
    Law("nan", "a row of NaN changes no other row", _nan),
)

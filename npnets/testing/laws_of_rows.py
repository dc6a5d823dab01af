"""Laws of rows: each row of a batch is answered by itself, whatever stands beside it."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.testing.arrays import is_floating, rows
from npnets.testing.law import Law
from npnets.testing.trial import MANY_ROWS, Trial, rows_of_state
from npnets.tree import Tree

_CAUSE = "something is computed over the batch: a mean, a norm, a sort, an index that is off by one"


def _rows(trial: Trial) -> None:
    params, given, row = _drawn(trial)
    whole = row_of(trial, trial.run(params, given), row)
    if not trial.subject.needs_rng:
        single = trial.run(params, rows(given, slice(row, row + 1)))
        trial.check_close(whole, row_of(trial, single, 0), f"row {row} of the batch as when it stands alone", _CAUSE)
    batch = len(tree.leaves(given["obs"])[0])
    others = trial.inputs(batch, suffix=" with other rows beside it")
    _check_unmoved(trial, params, {**given, **_beside(given, others, row)}, row, whole)
    if not trial.subject.needs_rng:
        _check_repeated(trial, params, given, batch)


def _check_repeated(trial: Trial, params: Tree, given: dict[str, Any], batch: int) -> None:
    """Compare a large batch, made of the rows of a small one again and again, with the small one."""
    copies = [row % batch for row in range(MANY_ROWS)]
    few = row_of(trial, trial.run(params, given), copies)
    many = row_of(trial, trial.run(params, trial.repeated(given, batch)), list(range(MANY_ROWS)))
    trial.check_close(many, few, f"{MANY_ROWS} rows, {batch} of them repeated, as in the batch of {batch}", _CAUSE)


def _nan(trial: Trial) -> None:
    params, given, row = _drawn(trial)
    lost = tree.map(lambda leaf: leaf * np.nan if is_floating(leaf) else leaf, given)
    whole = row_of(trial, trial.run(params, given), row)
    _check_unmoved(trial, params, {**given, **_beside(given, lost, row)}, row, whole, " with NaN")


def _drawn(trial: Trial) -> tuple[Tree, dict[str, Any], int]:
    batch = trial.batch(least=2)
    return trial.params(), trial.inputs(batch), trial.draw("row", st.integers(0, batch - 1))


def _beside(given: dict[str, Any], others: dict[str, Any], row: int) -> dict[str, Any]:
    """Return inputs with one row as given, and the other rows from elsewhere."""

    def mixed(own: Any, other: Any) -> Any:
        answer = other.copy()
        answer[row] = own[row]
        return answer

    return {name: tree.map(mixed, given[name], others[name]) for name in given if name != "rng"}


def _check_unmoved(trial: Trial, params: Tree, given: dict[str, Any], row: int, before: Tree, how: str = "") -> None:
    after = row_of(trial, trial.run(params, given), row)
    trial.check_close(after, before, f"row {row} to stay when the other rows change{how}", _CAUSE)


def row_of(trial: Trial, answer: tuple[dict[str, Any], Tree], row: int | list[int]) -> Tree:
    """Return the row, or rows, of an answer and of a state that belong to a row of the inputs, or to rows."""
    answers, state = tree.to_numpy(answer)
    found = {name: np.take(part, row, trial.subject.row_axis) for name, part in answers.items()}
    if not trial.subject.has_memory:
        return found
    return {**found, "state": rows_of_state(state, row, trial.subject.state_axes)}


ROWS = Law("rows", "each row of a batch gives the output that it gives alone", _rows)
NAN = Law("nan", "a row of NaN changes no other row", _nan)

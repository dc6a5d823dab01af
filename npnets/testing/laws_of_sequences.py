"""Laws of sequences: one step at a time, parts, padding and resets change nothing that they should not."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.testing.arrays import rows
from npnets.testing.law import Law
from npnets.testing.laws_of_memory import is_number
from npnets.testing.laws_of_rows import row_of
from npnets.testing.subject import Subject
from npnets.testing.trial import Trial, rows_of_state
from npnets.tree import Tree

LONGEST = 4


class _Sequences:
    """A batch of sequences with a state to start from, and the answer to any part of it."""

    def __init__(self, trial: Trial, least_steps: int = 1) -> None:
        self.trial, self.batch = trial, trial.draw("batch", st.integers(1, 3))
        self.steps = trial.draw("steps", st.integers(least_steps, LONGEST))
        self.params, self.given = trial.params(), trial.inputs(self.batch, steps=self.steps)
        self.state = trial.state(self.batch)

    def run(self, part: slice, state: Tree, **options: Any) -> Any:
        """Return the answers and state after a part of the steps; actions are those of its last step."""
        return self.trial.run(self.params, self._of(self.given, part, self.steps), state, **options)

    def row(self, row: int, part: slice, state: Tree) -> Tree:
        """Return a single sequence's answer and state after a part of its steps."""
        single = rows(self.given, slice(row, row + 1))
        return row_of(self.trial, self.trial.run(self.params, self._of(single, part, self.steps), state), 0)

    def state_of(self, row: int) -> Tree:
        """Return the state that a single sequence starts from."""
        return self.trial.placed(rows_of_state(tree.to_numpy(self.state), [row], self.trial.subject.state_axes))

    def padded(self, lengths: list[int]) -> dict[str, Any]:
        """Return inputs with NaN beyond the end of each sequence, and the actions of each one's last real step."""
        obs = np.array(tree.to_numpy(self.given["obs"]))
        for row, length in enumerate(lengths):
            obs[row, length:] = np.nan
        given = {**self.given, "obs": self.trial.placed(obs)}
        if "act" in given:
            given["act"] = given["act"][np.arange(self.batch), np.array(lengths) - 1]
        return given

    @staticmethod
    def _of(given: dict[str, Any], part: slice, steps: int) -> dict[str, Any]:
        last = range(steps)[part][-1]
        return {name: x[:, part] if name == "obs" else x[:, last] if np.ndim(x) > 1 else x for name, x in given.items()}


def _steps(trial: Trial) -> None:
    sequences = _Sequences(trial)
    state = sequences.state
    each = []
    for step in range(sequences.steps):
        answers, state = sequences.run(slice(step, step + 1), state)
        each.append(answers)
    whole = sequences.run(slice(None), sequences.state)
    cause = "the given state is lost, the old one returned, or steps taken in another order"
    trial.check_close(whole, (each[-1], state), "a whole sequence to be answered as one step after the other", cause)
    if "all_steps" not in trial.subject.names:
        return
    answers, after = trial.run(sequences.params, sequences.given, sequences.state, all_steps=True)
    stacked = {name: np.stack([tree.to_numpy(one[name]) for one in each], 1) for name in answers}
    trial.check_close((answers, after), (stacked, state), "all steps to be what each step answers", cause)


def _parts(trial: Trial) -> None:
    sequences = _Sequences(trial, least_steps=2)
    at = trial.draw("split at", st.integers(1, sequences.steps - 1))
    _, state = sequences.run(slice(0, at), sequences.state)
    came = sequences.run(slice(at, None), state)
    cause = "something besides the state passes from step to step, or the state is not all of it"
    whole = sequences.run(slice(None), sequences.state)
    trial.check_close(came, whole, "two parts, the state carried over, to be the whole", cause)


def _lengths(trial: Trial) -> None:
    sequences = _Sequences(trial)
    drawn = st.lists(st.integers(1, sequences.steps), min_size=sequences.batch, max_size=sequences.batch)
    lengths = trial.draw("lengths", drawn)
    came = trial.run(sequences.params, sequences.padded(lengths), sequences.state, lengths=np.array(lengths))
    cause = "padding is read, or the answer or state is that of the last step of all and not of the last real one"
    for row, length in enumerate(lengths):
        single = {**rows(sequences.given, slice(row, row + 1))}
        single = {name: x[:, :length] if name == "obs" else x for name, x in single.items()}
        if "act" in single:
            single["act"] = single["act"][:, length - 1]
        alone = trial.run(sequences.params, single, sequences.state_of(row))
        expected = row_of(trial, alone, 0)
        what = f"sequence {row}, padded with NaN, to be answered as the {length} steps it has"
        trial.check_close(row_of(trial, came, row), expected, what, cause)


def _resets(trial: Trial) -> None:
    sequences = _Sequences(trial)
    flags = st.lists(st.booleans(), min_size=sequences.steps, max_size=sequences.steps)
    drawn = st.lists(flags, min_size=sequences.batch, max_size=sequences.batch)
    resets = np.array(trial.draw("resets", drawn))
    came = sequences.run(slice(None), sequences.state, resets=trial.placed(resets))
    cause = "the state is not set to zeros before a step at which an episode begins, or in rows where none begins"
    for row in range(sequences.batch):
        starts = np.flatnonzero(resets[row])
        start = int(starts[-1]) if len(starts) else 0
        state = sequences.state_of(row)
        if len(starts):
            state = tree.map(lambda leaf: leaf * 0 if is_number(leaf) else leaf, state)
        what = f"sequence {row} to be answered as from its last reset on"
        trial.check_close(row_of(trial, came, row), sequences.row(row, slice(start, None), state), what, cause)


def _sequential(subject: Subject) -> bool:
    return subject.carries_sequences


STEPS = Law("steps", "one step at a time, the state carried, equals the whole sequence", _steps, _sequential)
PARTS = Law("parts", "a sequence split anywhere, the state carried, equals the whole", _parts, _sequential)
LENGTHS = Law(
    "lengths",
    "what lies beyond a sequence's end changes nothing",
    _lengths,
    lambda subject: _sequential(subject) and "lengths" in subject.names,
)
RESETS = Law(
    "resets",
    "a reset equals a fresh start",
    _resets,
    lambda subject: _sequential(subject) and "resets" in subject.names,
)

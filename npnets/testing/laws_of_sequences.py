"""Laws of sequences: single steps, parts, padding and resets give the same as whole sequences."""

import operator
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from npnets import tree
from npnets.testing.arrays import rows
from npnets.testing.law import Law
from npnets.testing.laws_of_states import is_number
from npnets.testing.network_under_test import Inputs, NetworkUnderTest, Result
from npnets.testing.trial import Trial
from npnets.tree import Tree

LONGEST = 4


class _Sequences:
    """A drawn batch of sequences with an initial state; runs the network on any part of it."""

    def __init__(self, trial: Trial, least_steps: int = 1) -> None:
        self.trial, self.batch = trial, trial.draw("batch", st.integers(1, 3))
        self.steps = trial.draw("steps", st.integers(least_steps, LONGEST))
        self.params, self.inputs = trial.params(), trial.inputs(self.batch, steps=self.steps)
        self.state = trial.state(self.batch)

    def run(self, steps: slice, state: Tree, **options: Tree) -> Result:
        """Run a part of the steps, with the actions of its last step."""
        return self.trial.run(self.params, self._part(self.inputs, steps), state, **options)

    def row(self, row: int, steps: slice, state: Tree) -> Tree:
        """Return the output and state of a single sequence after a part of its steps."""
        single = rows(self.inputs, slice(row, row + 1))
        return self.trial.row_of(self.trial.run(self.params, self._part(single, steps), state), 0)

    def state_of(self, row: int) -> Tree:
        """Return the initial state of a single sequence."""
        return self.trial.rows_of_state(self.state, [row])

    def padded(self, lengths: list[int]) -> Inputs:
        """Return inputs with NaN after the length of each sequence, and the actions of its last valid step."""
        obs = np.array(tree.to_numpy(self.inputs["obs"]))
        for row, length in enumerate(lengths):
            obs[row, length:] = np.nan
        padded = {**self.inputs, "obs": self.trial.to_device(obs)}
        if "act" in padded:
            padded["act"] = padded["act"][np.arange(self.batch), np.array(lengths) - 1]
        return padded

    def _part(self, inputs: Inputs, steps: slice) -> Inputs:
        last = range(self.steps)[steps][-1]
        return {
            name: x[:, steps] if name == "obs" else x[:, last] if np.ndim(x) > 1 else x for name, x in inputs.items()
        }


def _steps(trial: Trial) -> None:
    sequences = _Sequences(trial)
    state, results = sequences.state, []
    for step in range(sequences.steps):
        results.append(sequences.run(slice(step, step + 1), state))
        state = results[-1].state
    whole = sequences.run(slice(None), sequences.state)
    cause = "the given state is ignored, the new state is not returned, or the steps are taken in another order"
    one_by_one = results[-1].as_tree()
    trial.check_close(whole.as_tree(), one_by_one, "a whole sequence to give the same as its single steps", cause)
    if "all_steps" in trial.under_test.names:
        every = trial.run(sequences.params, sequences.inputs, sequences.state, all_steps=True)
        each = [tree.to_numpy(result.outputs) for result in results]
        stacked = {name: np.stack([outputs[name] for outputs in each], 1) for name in every.outputs}
        expected = Result(stacked, state).as_tree()
        trial.check_close(every.as_tree(), expected, "all_steps=True to return the output of each step", cause)


def _parts(trial: Trial) -> None:
    sequences = _Sequences(trial, least_steps=2)
    split = trial.draw("split at", st.integers(1, sequences.steps - 1))
    state = sequences.run(slice(0, split), sequences.state).state
    came = sequences.run(slice(split, None), state)
    whole = sequences.run(slice(None), sequences.state)
    cause = "something is passed from step to step that is not part of the state"
    what = "two parts, the second from the state of the first, to give the same as the whole"
    trial.check_close(came.as_tree(), whole.as_tree(), what, cause)


def _lengths(trial: Trial) -> None:
    sequences = _Sequences(trial)
    drawn = st.lists(st.integers(1, sequences.steps), min_size=sequences.batch, max_size=sequences.batch)
    lengths = trial.draw("lengths", drawn)
    came = trial.run(sequences.params, sequences.padded(lengths), sequences.state, lengths=np.array(lengths))
    cause = "padding is read, or output or state are those of the last step instead of the last valid step"
    for row, length in enumerate(lengths):
        expected = sequences.row(row, slice(0, length), sequences.state_of(row))
        what = f"sequence {row}, padded with NaN, to give the same as its {length} steps alone"
        trial.check_close(trial.row_of(came, row), expected, what, cause)


def _resets(trial: Trial) -> None:
    sequences = _Sequences(trial)
    flags = st.lists(st.booleans(), min_size=sequences.steps, max_size=sequences.steps)
    drawn = st.lists(flags, min_size=sequences.batch, max_size=sequences.batch)
    resets = np.array(trial.draw("resets", drawn))
    came = sequences.run(slice(None), sequences.state, resets=trial.to_device(resets))
    cause = "the state is not set to zeros before the first step of an episode, or is set to zeros in other rows too"
    for row in range(sequences.batch):
        (starts,) = np.nonzero(resets[row])
        state = sequences.state_of(row)
        if len(starts):
            state = tree.map(lambda leaf: leaf * 0 if is_number(leaf) else leaf, state)
        steps = slice(int(starts.max(initial=0)), None)
        what = f"sequence {row} to give the same as its steps from the last reset on"
        trial.check_close(trial.row_of(came, row), sequences.row(row, steps, state), what, cause)


def _takes(argument: str) -> Callable[[NetworkUnderTest], bool]:
    return lambda network: network.is_sequential and argument in network.names


_takes_steps = operator.attrgetter("is_sequential")
LAWS = (
    Law("steps", "single steps, each from the state of the last, equal the whole sequence", _steps, _takes_steps),
    Law("parts", "two parts, the second from the state of the first, equal the whole", _parts, _takes_steps),
    Law("lengths", "padding after the end of a sequence changes nothing", _lengths, _takes("lengths")),
    Law("resets", "a reset equals a start from a state of zeros", _resets, _takes("resets")),
)

"""A run of an algorithm: its folder, its checkpoints, its evaluations, and its continuation bit for bit.

The folder has `settings.json` (which program, with which settings), `checkpoint.npz` and `transitions` (what the run
continues from), `progress.csv` (a row for each evaluation) and `policy.npz` (the latest policy).

A checkpoint holds the algorithm's state, its random generator and its replay buffer. It holds no environment, whose
state cannot be read in general: every checkpoint is at the end of an episode, and the next episode starts with a seed
that the generator draws. An uninterrupted run does just that too, so that both have the same bits, if no episode of the
environment depends on those before it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from npnets.data import ReplayBuffer
from npnets.policy import Policy
from npnets.training import transition_files
from npnets.training.evaluation import Evaluation
from npnets.training.records import Records, Row, check_names, numbers
from npnets.training.saved_state import CHECKPOINT, Saved, check_rows, difference, forms_of, read_saved, write_saved
from npnets.training.setting_files import mark_of
from npnets.training.settings import Settings

State = TypeVar("State")
Buffer = TypeVar("Buffer", bound=ReplayBuffer | None)


class Run:
    """A run in its folder; `main` makes it and hands it to the algorithm.

    Parameters
    ----------
    folder : Path
        An existing folder. If it has a checkpoint, the run continues from there.
    settings : Settings
    tensorboard : bool
        Whether TensorBoard's files are written too.

    Attributes
    ----------
    step : int
        Steps taken.
    checkpoint_seconds : float
        Those of `seconds` that were spent on checkpoints.
    """

    def __init__(self, folder: Path, settings: Settings, tensorboard: bool = False) -> None:
        self.folder, self.settings, self._mark = folder, settings, mark_of(settings)
        self._saved: Saved | None = read_saved(folder / CHECKPOINT, self._mark)
        self.step, self._seconds = (0, 0.0) if self._saved is None else (self._saved.step, self._saved.seconds)
        self.checkpoint_seconds = 0.0 if self._saved is None else self._saved.checkpoint_seconds
        self._checkpointed, self._added, self._is_continued = self.step, 0, self._saved is not None
        self._began = time.perf_counter()
        self._form: dict[str, str] | None = None  # of the state that `restore` was given
        self._has_buffer: bool | None = None  # whether `restore` was given a replay buffer
        self._has_asked = False  # whether a checkpoint is due
        check_rows(folder, self._saved)
        self._records = Records(folder, self.step, settings.steps, tensorboard)
        self._evaluation: Evaluation | None = None

    def restore(
        self,
        state: State,
        rng: np.random.Generator,
        buffer: Buffer = None,  # type: ignore[assignment]
    ) -> tuple[State, np.random.Generator, Buffer]:
        """Return the state, the generator and the buffer of the latest checkpoint; in a new run, those given.

        Call it before `record`: it also saves the first checkpoint, so that one which is missing later is noticed.

        Parameters
        ----------
        state : tree of arrays
            The algorithm's state before the first step: every later one must have its paths, shapes and dtypes.
        rng : numpy.random.Generator
            Of one of NumPy's own bit generators.
        buffer : ReplayBuffer, optional
            An empty one.

        Raises
        ------
        CheckpointError
            If a file is corrupt, or of an algorithm with other networks.
        ValueError
            If the bits of the generator are not drawn by NumPy, or two leaves of the state have one path.
        """
        self._form, self._has_buffer = forms_of(state), buffer is not None
        if self._saved is None:
            self._save(state, rng, None)
            return state, rng, buffer
        state = self._saved.state_like(state)
        if buffer is not None:
            self._added = self._saved.added
            buffer = self._loaded(buffer)  # type: ignore[assignment]
        return state, self._saved.generator(), buffer

    def steps(self) -> Iterator[int]:
        """Yield the number of each step that is still to be taken, up to `settings.steps`."""
        while self.step < self.settings.steps:
            self.advance(1)
            yield self.step

    def advance(self, steps: int) -> None:
        """Count steps that were taken together, such as those of a rollout, where `steps()` does not count them."""
        self.step += steps
        self._records.advance(self.step)

    def record(self, state: State, losses: Mapping[str, Any], policy_of: Callable[[State], Policy]) -> None:
        """If it is time to evaluate, evaluate the policy, save it, and add a row to `progress.csv`.

        Parameters
        ----------
        state : tree of arrays
            The algorithm's state.
        losses : dict
            Numbers of the last step of learning, by their names; none before there was one.
        policy_of : callable
            Returns the policy of a state.

        Raises
        ------
        ValueError
            If a loss has the name of a column that every row has.
        """
        check_names(losses)
        every, rows = self.settings.evaluate_every, self._records.rows
        continued, self._is_continued = self._is_continued, False
        if rows and not (self.step // every > rows[-1]["steps"] // every or self._is_last(rows)):
            if continued:  # a process may have gone on after the checkpoint, and left a later policy, and rows
                self._save_policy(policy_of(state))
                self._records.write()
            return
        current = policy_of(state)
        returns = self._evaluator().returns(current)
        spread = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
        row: Row = {"steps": self.step, "seconds": self.seconds, "return": float(returns.mean()), "return_std": spread}
        self._save_policy(current)  # before the row, so that no row is without its policy
        self._records.add({**row, **numbers(losses)})

    def save_if_due(self, state: Any, rng: np.random.Generator, buffer: ReplayBuffer | None = None) -> bool:
        """Save a checkpoint, if `settings.checkpoint_every` steps have been taken since the one before, or all steps.

        Call it at the end of an episode, before the next one is reset with a seed of `rng`, and after `record`. An
        algorithm that acts in several environments resets all of them after each checkpoint.

        Returns
        -------
        bool
            Whether there is a new checkpoint.

        Raises
        ------
        ValueError
            If the state has another form than the one that `restore` was given, or only one of both had a buffer.
        """
        self._check_buffer(buffer)
        is_due = self.step - self._checkpointed >= self.settings.checkpoint_every or self.step >= self.settings.steps
        if is_due or not self._has_asked:  # the first time, so that an error comes at once
            self._check_form(state)
        self._has_asked = True
        if not is_due:
            return False
        self._save(state, rng, buffer)
        return True

    def _check_buffer(self, buffer: ReplayBuffer | None) -> None:
        if self._has_buffer is not None and self._has_buffer != (buffer is not None):
            raise ValueError(
                "expected a replay buffer in both of run.restore and run.save_if_due, or in none, but only "
                f"{'restore' if self._has_buffer else 'save_if_due'} was given one"
            )

    def _check_form(self, state: Any) -> None:
        """Check that a continued run could put a state back."""
        if self._form is not None and (fault := difference(self._form, forms_of(state))):
            raise ValueError(
                f"the state has another form than the one that run.restore was given: {fault}; keep its paths, shapes "
                "and dtypes, so that a continued run can put it back"
            )

    def _save_policy(self, policy: Policy) -> None:
        policy.save(self.folder / "policy.npz", {"steps": self.step, "env": self.settings.env})

    def _save(self, state: Any, rng: np.random.Generator, buffer: ReplayBuffer | None) -> None:
        began = time.perf_counter()
        if buffer is not None:
            transition_files.save_new(self.folder / "transitions", self._mark, buffer, self._added)
            self._added = buffer.added
        counters = {"step": self.step, "seconds": self.seconds, "added": self._added}
        counters |= {"checkpoint_seconds": self.checkpoint_seconds, "rows": len(self._records.rows)}
        write_saved(self.folder / CHECKPOINT, self._mark, state, rng, **counters)
        if buffer is not None:
            transition_files.remove_replaced(self.folder / "transitions", buffer)
        self._checkpointed = self.step
        self.checkpoint_seconds += time.perf_counter() - began

    @property
    def seconds(self) -> float:
        """Seconds of the run until now, those before an interruption included, as far as a checkpoint has them."""
        return self._seconds + time.perf_counter() - self._began

    @property
    def rows(self) -> list[Row]:
        """The rows of `progress.csv`."""
        return list(self._records.rows)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._records.close()
        if self._evaluation is not None:
            self._evaluation.close()

    def _loaded(self, empty: ReplayBuffer) -> ReplayBuffer:
        return transition_files.load(self.folder / "transitions", self._mark, empty, self._added)

    def _is_last(self, rows: list[Row]) -> bool:
        return self.step >= self.settings.steps and rows[-1]["steps"] < self.step

    def _evaluator(self) -> Evaluation:
        if self._evaluation is None:
            self._evaluation = Evaluation(self.settings.env, self.settings.episodes, self.settings.wrap)
        return self._evaluation

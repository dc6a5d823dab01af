"""A replay buffer: a ring of transitions, in which new ones replace the oldest, and its state for a checkpoint.

`_columns` is the form of each column, `_arrays` their memory, `capacity` rows each, once there has been a batch. Row
`i % capacity` has the transition that was added as number `i`.

An exception can arrive between any two bytecodes, from a signal handler. A batch is therefore noted in `_pending`, with
the columns and the memory that it goes into, and then written by steps that can be repeated from the first one: no row
is ever half of one transition and half of another.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from npnets.data.buffer_state import checked_state, saved_columns
from npnets.data.columns import FLAGS, Arrays, Column, Columns, batch_of, completed, converted, dtype_of, shape_of
from npnets.data.transitions import FIELDS, Transitions
from npnets.description import Shape
from npnets.description import size as checked_size
from npnets.initializers import check_generator
from npnets.tree import Tree


class ReplayBuffer:
    """The last transitions of a training, up to a capacity, in NumPy arrays.

    Parameters
    ----------
    capacity : int
        The largest number of transitions. Memory is taken by the first batch, and by the operating system page by page
        as it is filled.
    obs_shape, action_shape : int, sequence of int or space, optional
        Shape of one observation and of one action, `()` for a number; those of the first batch by default.
    obs_dtype, action_dtype, reward_dtype : dtype, optional
        Those of the first batch by default, and then a batch is an error if its dtype is wider, or an integer does not
        fit exactly. Numbers are rounded to a dtype of floats that you give: `obs_dtype=numpy.float32` for observations
        in float64. Integers must fit into one of integers.
    check_finite : bool
        Whether NaN and infinite numbers are an error; a single one of them reaches all parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from npnets import data
    >>> buffer = data.ReplayBuffer(1000)
    >>> rows = buffer.add(np.zeros((2, 3)), np.zeros((2, 1)), [1.0, 2.0], np.ones((2, 3)), [False, True])
    >>> obs, action, reward, next_obs, terminated = buffer.sample(np.random.default_rng(0), 64)
    >>> obs.shape, reward.shape, terminated.dtype
    ((64, 3), (64,), dtype('bool'))
    """

    def __init__(
        self,
        capacity: int,
        obs_shape: Shape | tuple[()] | None = None,
        action_shape: Shape | tuple[()] | None = None,
        *,
        obs_dtype: DTypeLike | None = None,
        action_dtype: DTypeLike | None = None,
        reward_dtype: DTypeLike | None = None,
        check_finite: bool = True,
    ) -> None:
        self._capacity = checked_size("capacity", capacity)
        if not isinstance(check_finite, (bool, np.bool_)):
            raise TypeError(f"check_finite must be True or False, but is {check_finite!r:.80}")
        self._check_finite = bool(check_finite)
        obs = _column(shape_of("obs_shape", obs_shape), dtype_of("obs_dtype", obs_dtype))
        self._columns: Columns = {
            "obs": obs,
            "action": _column(shape_of("action_shape", action_shape), dtype_of("action_dtype", action_dtype)),
            "reward": _column((), dtype_of("reward_dtype", reward_dtype, "f")),
            "next_obs": obs,
            "terminated": FLAGS,
        }
        self._arrays: Arrays | None = None
        self._added = 0
        self._pending: tuple[int, Columns, Arrays, Arrays] | None = None

    @property
    def capacity(self) -> int:
        """The largest number of transitions."""
        return self._capacity

    @property
    def added(self) -> int:
        """How many transitions have been added, those that were replaced among them."""
        return self._settled()

    def __len__(self) -> int:
        """The number of transitions in the buffer."""
        return min(self._settled(), self._capacity)

    def __repr__(self) -> str:
        return f"<ReplayBuffer with {len(self)} of at most {self._capacity} transitions>"

    def add(
        self, obs: ArrayLike, action: ArrayLike, reward: ArrayLike, next_obs: ArrayLike, terminated: ArrayLike
    ) -> NDArray[np.intp]:
        """Copy transitions into the buffer, in place of the oldest once it is full.

        Parameters
        ----------
        obs, next_obs : (n, ...) array
            Observations before and after the step. At the end of an episode the latter is its last observation, and
            not the first of the next episode.
        action : (n, ...) array
        reward : (n,) array, or a number
            With a number, there is one transition, and no array has the axis `n`.
        terminated : (n,) array of bool
            Whether the step led to a terminal state. It is false at a time limit.

        Returns
        -------
        (n,) array of int
            The rows that they have, for arrays of your own beside the buffer, such as priorities.

        Raises
        ------
        ValueError
            If a shape is another, a number is NaN or infinite, or `n` is larger than the capacity. The buffer is as
            before then.
        TypeError
            If numbers do not fit into a column.

        Notes
        -----
        Where Ctrl-C or another signal interrupts it, all of the batch is in the buffer or nothing of it.
        """
        added, batch = self._settled(), batch_of(obs, action, reward, next_obs, terminated)
        columns = completed(self._columns, batch) if self._arrays is None else self._columns
        batch = converted(columns, batch, self._check_finite)
        number = len(batch["reward"])
        if number > self._capacity:
            raise ValueError(f"expected at most {self._capacity} transitions, the capacity, but got {number} at once")
        if not number:  # whose first shapes and dtypes, of empty lists, say nothing
            return np.arange(0)
        arrays = self._memory(columns)
        try:
            self._pending = added, columns, arrays, batch
            self._settled()
        except BaseException:
            self._settled()
            raise
        first = added % self._capacity
        rows = np.arange(first, first + number)
        return rows if first + number <= self._capacity else rows % self._capacity

    def sample(self, rng: np.random.Generator, size: int) -> Transitions:
        """Draw transitions uniformly, with replacement.

        Parameters
        ----------
        rng : numpy.random.Generator
        size : int
            How many.

        Returns
        -------
        Transitions
            Copies, which later additions do not change.

        Raises
        ------
        ValueError
            If the buffer is empty.
        """
        generator, number = check_generator(rng, "sample(rng, size)"), checked_size("size", size)
        return _taken(self._filled(), generator.integers(len(self), size=number))

    def take(self, rows: ArrayLike) -> Transitions:
        """Return the transitions of some rows, such as those that were drawn by priorities.

        Parameters
        ----------
        rows : (k,) array of int
            From zero to below `len(buffer)`; `add` returns the rows that it filled.

        Returns
        -------
        Transitions
            Copies.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        arrays, found = self._filled(), np.asarray(rows)
        if found.dtype.kind not in "iu" or found.ndim != 1:
            raise TypeError(f"rows must be an array (k,) of integers, but has shape {found.shape} of {found.dtype}")
        if found.size and not (found.min() >= 0 and found.max() < len(self)):
            raise IndexError(f"rows must be from 0 to {len(self) - 1}, but are from {found.min()} to {found.max()}")
        return _taken(arrays, found)

    def _settled(self) -> int:
        """Write the batch that is noted, if one is, and return how many transitions have been added."""
        if self._pending is not None:
            added, self._columns, self._arrays, batch = self._pending
            first, number = added % self._capacity, len(batch["reward"])
            before_the_end = self._capacity - first
            for name, array in self._arrays.items():
                array[first : first + number] = batch[name][:before_the_end]
                if number > before_the_end:  # the others go to the beginning
                    array[: number - before_the_end] = batch[name][before_the_end:]
            self._added = added + number
            self._pending = None
        return self._added

    def _filled(self) -> Arrays:
        """Return the arrays, once it is checked that there are transitions in them."""
        if not self._settled() or self._arrays is None:
            raise ValueError("the buffer is empty, so that there is nothing to draw; add transitions first")
        return self._arrays

    def _memory(self, columns: Columns) -> Arrays:
        """Return the arrays, or new ones for complete columns before the first transition."""
        if self._arrays is not None:
            return self._arrays
        return {name: np.zeros((self._capacity, *(columns[name].shape or ())), columns[name].dtype) for name in FIELDS}

    # -- state --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Tree]:
        """Return everything that the buffer is as a tree of copies, which `npnets.checkpoint.save` saves bit for bit.

        Returns
        -------
        dict
            For `ReplayBuffer.from_state`. Rows that were never filled are left out.
        """
        added, arrays = self._settled(), None
        if self._arrays is not None:
            arrays = {name: array[: len(self)].copy() for name, array in self._arrays.items()}
        settings = {"capacity": self._capacity, "added": added, "check_finite": self._check_finite}
        return {**settings, "columns": saved_columns(self._columns), "arrays": arrays}

    @classmethod
    def from_state(cls, state: Mapping[str, Tree]) -> "ReplayBuffer":
        """Make a buffer that goes on as the one whose state this is: the same samples, the same rows replaced.

        Parameters
        ----------
        state : dict
            As `state()` returned it, or as `npnets.checkpoint.load` loads it.

        Returns
        -------
        ReplayBuffer

        Raises
        ------
        ValueError
            If it is no state of a replay buffer, or its parts contradict each other.
        """
        columns, arrays = checked_state(state)
        found = cls(state["capacity"], check_finite=state["check_finite"])
        found._columns = columns
        if arrays is not None:
            found._arrays = found._memory(columns)
            for name, array in found._arrays.items():
                array[: len(arrays[name])] = arrays[name]
        found._added = state["added"]
        return found


def _taken(arrays: Arrays, rows: NDArray[Any]) -> Transitions:
    return Transitions(*(array.take(rows, 0) for array in arrays.values()))


def _column(shape: tuple[int, ...] | None, dtype: np.dtype[Any] | None) -> Column:
    return Column(shape, dtype, dtype is not None)

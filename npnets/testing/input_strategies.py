"""Strategies of hypothesis for what networks are given: parameters, observations, actions and states.

All are reproducible and shrink: arrays towards few entries that are not zero, parameters towards the first seed. Arrays
are NumPy's; networks bring them to their parameters.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import Array
from npnets.caches import bounded_cache
from npnets.description import Shape
from npnets.testing.arrays import is_floating, parameters_from
from npnets.testing.shapes import action_row, as_row
from npnets.testing.subject import subject_of
from npnets.tree import Tree

Batch: TypeAlias = int | st.SearchStrategy[int] | None

_SEEDS = st.integers(0, 2**16)


def parameters(net: Any, dtype: DTypeLike = np.float32) -> st.SearchStrategy[Tree]:
    """Draw parameters of a network: initial ones, and some with noise on every entry.

    Parameters
    ----------
    net : network
    dtype : dtype

    Returns
    -------
    strategy of trees
        As `net.init` makes them.
    """
    return st.builds(
        parameters_from, st.just(net), seed=_SEEDS, spread=st.sampled_from([0.0, 0.1, 1.0]), dtype=st.just(dtype)
    )


def observations(
    net: Any,
    batch: Batch = None,
    *,
    state_shape: Shape | None = None,
    steps: int | None = None,
    limit: float = 10.0,
    dtype: DTypeLike = np.float32,
) -> st.SearchStrategy[Array]:
    """Draw a batch of observations for a network.

    Parameters
    ----------
    net : network
    batch : int or strategy, optional
        How many rows; one to five if left out.
    state_shape : int or sequence of int, optional
        Shape of one observation, for a network whose description does not have it.
    steps : int, optional
        For a recurrent network: makes sequences, `(batch, steps, ...)`.
    limit : float
        Bound of the entries.
    dtype : dtype

    Returns
    -------
    strategy of (batch, ...) arrays

    Raises
    ------
    TypeError
        If the shape of observations is not known.
    """
    row = subject_of(net, state_shape=state_shape).observation
    inner = row if steps is None else (steps, *row)
    return _batches(batch).flatmap(lambda rows: arrays_of((rows, *inner), limit)).map(lambda x: x.astype(dtype))


def actions(
    net: Any, batch: Batch = None, *, action_shape: Shape | None = None, dtype: DTypeLike = np.float32
) -> st.SearchStrategy[Array]:
    """Draw a batch of actions, as a critic takes them or an actor returns them.

    Parameters
    ----------
    net : network
    batch : int or strategy, optional
        How many rows; one to five if left out.
    action_shape : int or sequence of int, optional
        Shape of one action, for a network whose description does not have it.
    dtype : dtype

    Returns
    -------
    strategy of (batch, ...) arrays
        Within `net.max_action`, where it has one, else within one.

    Raises
    ------
    TypeError
        If the shape of actions is not known.
    """
    row = as_row("action_shape", action_shape) if action_shape is not None else action_row(net)
    if row is None:
        raise TypeError(f"{net!r:.80} takes no actions and answers with none; if it does, say action_shape")
    bound = np.asarray(getattr(net, "max_action", 1.0), dtype)
    return _batches(batch).flatmap(lambda rows: arrays_of((rows, *row), 1.0)).map(lambda x: x.astype(dtype) * bound)


def states(net: Any, batch: Batch = None, *, state_shape: Shape | None = None) -> st.SearchStrategy[Tree]:
    """Draw recurrent states for a batch, entries within one; `None` for a network without memory.

    Parameters
    ----------
    net : network
    batch : int or strategy, optional
        How many rows; one to five if left out.
    state_shape : int or sequence of int, optional
        As in `observations`.

    Returns
    -------
    strategy of trees
        Of the form that `forward` returns.
    """
    subject = subject_of(net, state_shape=state_shape)
    if not subject.has_memory:
        return st.none()
    return st.builds(lambda rows, seed: _state(subject.state_like(rows), seed), _batches(batch), _SEEDS)


def arrays_of(shape: tuple[int, ...], limit: float) -> st.SearchStrategy[Array]:
    """Draw a float32 array with entries within a limit: some with few that are not zero, some with all."""
    largest = float(np.float32(limit))
    entries = st.floats(-largest, largest, width=32, allow_subnormal=False)
    sparse: st.SearchStrategy[Array] = st_numpy.arrays(np.float32, shape, elements=entries, fill=st.just(0.0))
    return sparse | seeded_arrays(shape, largest)


@bounded_cache(maxsize=256)
def seeded_arrays(shape: tuple[int, ...], limit: float) -> st.SearchStrategy[Array]:
    """Draw a float32 array in one go, for laws that are tried often.

    It shrinks towards whole numbers near zero, and towards zeros at the end.
    """
    entries = math.prod(shape)
    return st.builds(
        _normal,
        st.just(shape),
        seed=_SEEDS,
        kept=st.integers(0, 2 * entries),
        unit=st.sampled_from([1.0, 1 / 64]),
        scale=st.sampled_from([1.0, limit]),
        limit=st.just(limit),
    )


def _normal(shape: tuple[int, ...], seed: int, kept: int, unit: float, scale: float, limit: float) -> Array:
    """Return normal numbers, rounded to a unit that float32 holds exactly; only the first ones are kept."""
    drawn = np.random.default_rng(seed).standard_normal(math.prod(shape))
    drawn[kept:] = 0
    return np.clip(np.round(scale * drawn / unit) * unit, -limit, limit).astype(np.float32).reshape(shape)


def _state(like: Tree, seed: int) -> Tree:
    rng = np.random.default_rng(seed)
    host = tree.to_numpy(like)
    return tree.map(lambda x: rng.uniform(-1, 1, x.shape).astype(x.dtype) if is_floating(x) else x, host)


def _batches(batch: Batch) -> st.SearchStrategy[int]:
    if batch is None:
        return st.integers(1, 5)
    return batch if isinstance(batch, st.SearchStrategy) else st.just(batch)

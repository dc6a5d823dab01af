"""Hypothesis strategies for the inputs of networks: parameters, observations, actions and states.

All are reproducible and shrink: arrays towards zeros, parameters towards the first seed. Arrays are NumPy arrays;
networks convert them to the device of their parameters.
"""

import math
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import Array
from npnets.bounds import within
from npnets.caches import bounded_cache
from npnets.description import Shape
from npnets.normalization.network import unwrapped
from npnets.testing.arrays import is_floating, parameters_from
from npnets.testing.forward_signature import Network
from npnets.testing.network_under_test import network_under_test
from npnets.testing.shapes import action_row, as_row, bounds_of, choices_of
from npnets.tree import Tree

Batch: TypeAlias = int | st.SearchStrategy[int] | None

_SEEDS = st.integers(0, 2**16)


def parameters(net: Network, dtype: DTypeLike = np.float32) -> st.SearchStrategy[Tree]:
    """Draw parameters of a network: initial values, sometimes with noise on every entry.

    Parameters
    ----------
    net : network
    dtype : dtype

    Returns
    -------
    strategy of trees
        Structured as by `net.init`.
    """
    return st.builds(
        parameters_from, st.just(net), seed=_SEEDS, spread=st.sampled_from([0.0, 0.1, 1.0]), dtype=st.just(dtype)
    )


def observations(
    net: Network,
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
        Number of rows; the default is one to five.
    state_shape : int or sequence of int, optional
        Shape of one observation, for a network whose description does not contain it.
    steps : int, optional
        For a recurrent network: draws sequences, `(batch, steps, ...)`.
    limit : float
        Largest absolute value of the entries.
    dtype : dtype

    Returns
    -------
    strategy of (batch, ...) arrays

    Raises
    ------
    TypeError
        If the shape of observations is not known.
    """
    row = network_under_test(net, state_shape=state_shape).observation
    inner = row if steps is None else (steps, *row)
    return _batches(batch).flatmap(lambda rows: arrays_of((rows, *inner), limit)).map(lambda x: x.astype(dtype))


def actions(
    net: Network, batch: Batch = None, *, action_shape: Shape | None = None, dtype: DTypeLike = np.float32
) -> st.SearchStrategy[Array]:
    """Draw a batch of actions, as taken by a critic or returned by an actor.

    Parameters
    ----------
    net : network
    batch : int or strategy, optional
        As in `observations`.
    action_shape : int or sequence of int, optional
        Shape of one action, for a network whose description does not contain it.
    dtype : dtype

    Returns
    -------
    strategy of (batch, ...) arrays
        Within the network's `low` and `high` or its `max_action`, or within one if there is none. Integers for a
        network of discrete actions: `(batch,)`, and `(batch, num_branches)` for a `BranchingNet`.

    Raises
    ------
    TypeError
        If the shape of actions is not known.
    """
    net = unwrapped(net)
    row = as_row("action_shape", action_shape) if action_shape is not None else action_row(net)
    if row is None:
        raise TypeError(f"{net!r:.80} neither takes nor returns actions; if it does, pass action_shape")
    choices = choices_of(net)
    if choices is not None:
        return _batches(batch).flatmap(
            lambda rows: st_numpy.arrays(np.int64, (rows, *row), elements=st.integers(0, choices - 1))
        )
    low, high = bounds_of(net) or (np.array(-1.0), np.array(1.0))
    bounds = within(low, high, np.dtype(dtype))

    def bounded(x: Array) -> Array:
        """Map entries in [-1, 1] to the bounds; the clip is for rounding."""
        entries = (low + high) / 2 + (high - low) / 2 * x.reshape(len(x), -1)
        return np.clip(entries.astype(dtype), bounds.low, bounds.high).reshape(x.shape)

    return _batches(batch).flatmap(lambda rows: arrays_of((rows, *row), 1.0)).map(bounded)


def states(net: Network, batch: Batch = None, *, state_shape: Shape | None = None) -> st.SearchStrategy[Tree]:
    """Draw recurrent states for a batch, with entries within one; `None` for a network without memory.

    Parameters
    ----------
    net, batch, state_shape
        As in `observations`.

    Returns
    -------
    strategy of trees
        Structured as the states that `forward` returns.
    """
    under_test = network_under_test(net, state_shape=state_shape)
    if not under_test.is_recurrent:
        return st.none()

    def drawn(rows: int, seed: int) -> Tree:
        rng, like = np.random.default_rng(seed), tree.to_numpy(under_test.state_like(rows))
        return tree.map(lambda x: rng.uniform(-1, 1, x.shape).astype(x.dtype) if is_floating(x) else x, like)

    return st.builds(drawn, _batches(batch), _SEEDS)


def arrays_of(shape: tuple[int, ...], limit: float) -> st.SearchStrategy[Array]:
    """Draw a float32 array with entries within a limit: sparse or dense."""
    largest = float(np.float32(limit))
    entries = st.floats(-largest, largest, width=32, allow_subnormal=False)
    sparse: st.SearchStrategy[Array] = st_numpy.arrays(np.float32, shape, elements=entries, fill=st.just(0.0))
    return sparse | seeded_arrays(shape, largest)


@bounded_cache(maxsize=256)
def seeded_arrays(shape: tuple[int, ...], limit: float) -> st.SearchStrategy[Array]:
    """Draw a float32 array from a seed, which is faster than to draw entries one by one.

    It shrinks towards small whole numbers, and towards zeros at its end.
    """

    def normal(seed: int, count: int, unit: float, scale: float) -> Array:
        """Return normal numbers, rounded to a unit that float32 represents exactly, with zeros after the first ones."""
        drawn = np.random.default_rng(seed).standard_normal(math.prod(shape))
        drawn[count:] = 0
        return np.clip(np.round(scale * drawn / unit) * unit, -limit, limit).astype(np.float32).reshape(shape)

    counts = st.integers(0, 2 * math.prod(shape))
    return st.builds(normal, _SEEDS, counts, unit=st.sampled_from([1.0, 1 / 64]), scale=st.sampled_from([1.0, limit]))


def _batches(batch: Batch) -> st.SearchStrategy[int]:
    if batch is None:
        return st.integers(1, 5)
    return batch if isinstance(batch, st.SearchStrategy) else st.just(batch)

"""The random generator of a task: it depends on the call's seed and the task's index, and on nothing else."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from npnets.description import size

Seed: TypeAlias = int | np.integer[Any] | Sequence[int] | np.random.SeedSequence


def seed_sequence(seed: Seed) -> np.random.SeedSequence:
    """Return a call's seed as a `SeedSequence`, once it is checked."""
    if isinstance(seed, np.random.SeedSequence):
        return seed
    try:
        if seed is None or isinstance(seed, (bool, float)):
            raise TypeError
        return np.random.SeedSequence(seed)
    except (TypeError, ValueError):
        raise TypeError(
            f"seed must be a whole number from 0 on, a sequence of them such as (seed, generation), or a SeedSequence, "
            f"but is {seed!r:.60}"
        ) from None


def generator(seed: Seed, index: int) -> np.random.Generator:
    """Return the random generator of one task of a call, on a worker or in the driver.

    A driver draws with it what a worker has drawn, instead of having it sent: the noise of an evolution strategy.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence
        The `seed` of `map_population`.
    index : int
        The task's index in the population, from 0 on.

    Returns
    -------
    numpy.random.Generator
        In the state in which the task receives it.

    Raises
    ------
    TypeError, ValueError
        If it is no seed, or no index.

    Examples
    --------
    >>> from npnets import parallel
    >>> parallel.generator((7, 0), 3).normal() == parallel.generator((7, 0), 3).normal()
    True
    """
    sequence = seed_sequence(seed)
    return np.random.default_rng(
        np.random.SeedSequence(
            sequence.entropy,
            spawn_key=(*sequence.spawn_key, size("index", index, least=0)),
            pool_size=sequence.pool_size,
        )
    )

"""One observation or a batch of them, as a batch that a network takes."""

import math
from typing import Any

from npnets.inputs import as_array, is_array_like


def as_batch(obs: Any, shape: tuple[int, ...] | None) -> tuple[Any, bool]:
    """Return observations `(n, *shape)`, and whether a single one came.

    Parameters
    ----------
    obs : array of one observation's shape, or (n, ...) array
        The axes of an observation may be laid out in one.
    shape : tuple of int or None
        `None` for a network that does not say it: then an array of one axis is a single observation, and everything
        else a batch.

    Raises
    ------
    ValueError
        If they have another shape.
    TypeError
        If they are no arrays of real numbers.
    """
    if shape is None:
        is_single = is_array_like(obs) and as_array(obs).ndim == 1
        return (as_array(obs)[None], True) if is_single else (obs, False)
    if isinstance(obs, dict):
        raise TypeError(
            f"obs must be an array of shape {shape}, but is a dict of {list(obs)!r:.80}; make one array of its parts, "
            "in their order during training"
        )
    x = as_array(obs)
    laid_out = (math.prod(shape),)
    if x.shape in (shape, laid_out):
        return x.reshape((1, *shape)), True
    if x.ndim and x.shape[1:] in (shape, laid_out):
        return x.reshape((x.shape[0], *shape)), False
    of_batch = ", ".join(["n", *map(str, shape)])
    raise ValueError(
        f"obs must be one observation, of shape {shape}, or a batch of them, ({of_batch}), but has shape {x.shape}"
    )

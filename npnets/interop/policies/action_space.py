"""Bounds of actions, from what the caller of `load_policy` says."""

from typing import Any, TypeAlias

import numpy as np

from npnets.backend import Array
from npnets.spaces import Box, box_bounds, is_box, is_space

Bounds: TypeAlias = tuple[Array, Array]
"""The lower and the upper bound of actions, float64 arrays of an action's shape, or of none for all entries alike."""

_EXPECTED = "action_space must be a Box of Gymnasium, or a pair (low, high) of numbers or arrays"


def bounds_of(action_space: Any) -> Bounds:
    """Return the bounds of a `Box`, or of a pair of a lower and an upper bound.

    Parameters
    ----------
    action_space : Box or pair

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a lower bound is not below its upper one.
    """
    if is_box(action_space):
        _check_is_real(action_space)
        low, high = box_bounds("action_space", action_space)
    else:
        low, high = _of_pair(action_space)
    if low.shape != high.shape or not np.all(low < high):
        raise ValueError(f"action_space must have each lower bound below its upper one, but is {action_space!r:.80}")
    return low, high


def _check_is_real(box: Box) -> None:
    if np.dtype(getattr(box, "dtype", None) or np.float64).kind != "f":
        raise TypeError(
            f"action_space must be a Box of floating-point numbers, but is {box!r:.80}, of integers; to round actions "
            "yourself pass action_space=(box.low, box.high)"
        )


def _of_pair(pair: Any) -> Bounds:
    is_sequence = isinstance(pair, (tuple, list)) or (isinstance(pair, np.ndarray) and pair.ndim > 0)
    if not is_sequence or len(pair) != 2:
        hint = "; for discrete actions leave it out" if is_space(pair) else ""
        raise TypeError(f"{_EXPECTED}, but is {pair!r:.80}{hint}")
    try:
        low, high = (np.asarray(bound, np.float64) for bound in pair)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{_EXPECTED}, but is {pair!r:.80}") from error
    both = np.broadcast_arrays(low, high) if low.ndim == 0 or high.ndim == 0 else (low, high)
    return both[0], both[1]

"""Discrete actions: how many there are, as a network's argument says it, and rows that are one at an action."""

from typing import Any, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, namespace
from npnets.description import Shape, shape
from npnets.inputs import inputs_on_device
from npnets.spaces import Discrete, choices, is_space

Actions: TypeAlias = Shape | Discrete


def actions_shape(name: str, value: object) -> int | tuple[int, ...]:
    """Return the number of actions, or a shape of that many entries; of a `Discrete` space it is the space's `n`.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or a space of another kind.
    """
    return choices(name, value) if is_space(value) else shape(name, value)


def one_hot(act: object, actions: int, features: Array) -> Array:
    """Return actions as rows of zeros with a one, in the dtype and on the device of the features of the same rows.

    Parameters
    ----------
    act : (batch,) array of integers
    actions : int
        How many there are to choose from.
    features : (batch, ...) array

    Returns
    -------
    (batch, actions) array
        NaN in the row of an action out of range on a GPU, where values are not checked, because that would wait for it.
    """
    like = bare(features)
    chosen = _checked(act, actions, len(like))[:, None]
    chosen = inputs_on_device(chosen, like)
    hot = chosen == namespace(chosen).arange(actions)
    rows: Array = nnp.where(hot.any(1, keepdims=True), hot, np.nan)
    return rows.astype(like.dtype)


def _checked(act: object, actions: int, rows: int) -> Array:
    found: Any = bare(act) if hasattr(act, "dtype") else np.asarray(act)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(
            f"act must be integers, the numbers of the actions, but has dtype {found.dtype}; for whole numbers pass "
            "act.astype(int), for rows of zeros with a one act.argmax(-1)"
        )
    if found.shape != (rows,):
        raise ValueError(
            f"act must have shape ({rows},), one action for each observation, but has {found.shape}; for a column "
            "pass act[:, 0], for a single action act[None]"
        )
    if namespace(found) is np and found.size and (found.min() < 0 or found.max() >= actions):
        raise ValueError(
            f"act must lie between 0 and {actions - 1}, but lies between {found.min()} and {found.max()}; is "
            "action_dim the number of actions?"
        )
    return found

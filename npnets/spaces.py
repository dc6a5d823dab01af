"""Spaces of actions and observations as Gymnasium has them, read by their attributes: no library of them is imported.

A `Box` has a shape and bounds, and every entry is a real number between them; a `Discrete` has a number of choices.
"""

from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray


class Box(Protocol):
    """Arrays of one shape within bounds, as `gymnasium.spaces.Box`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays."""
        ...

    @property
    def low(self) -> Any:
        """Lower bounds, of that shape."""
        ...

    @property
    def high(self) -> Any:
        """Upper bounds, of that shape."""
        ...


class Discrete(Protocol):
    """The integers from `start` to `start + n - 1`, as `gymnasium.spaces.Discrete`."""

    @property
    def n(self) -> Any:
        """How many they are."""
        ...

    @property
    def start(self) -> Any:
        """The first of them."""
        ...


_OF_ACTIONS = {
    "Discrete": "its actions are chosen, not computed: use npnets.discrete, or a Net with action_shape=space.n",
    "MultiDiscrete": "its actions are chosen, not computed: use npnets.BranchingNet, with as many choices for each "
    "part as the largest of space.nvec, and forbid those that a part does not have; for a vector environment pass its "
    "single_action_space",
    "MultiBinary": "its actions are chosen, not computed: use npnets.BranchingNet with two choices for each part",
    "Dict": "use one network for each of space.spaces",
    "Tuple": "use one network for each of space.spaces",
}
_OF_OBSERVATIONS = {
    "Discrete": "pass state_shape=space.n, and observations as rows of zeros with a one: "
    "numpy.eye(space.n)[observations - space.start]",
    "MultiDiscrete": "its observations are arrays of numbers: pass state_shape=space.shape; for a vector environment "
    "pass its single_observation_space",
    "MultiBinary": "its observations are arrays of numbers: pass state_shape=space.shape",
    "Dict": "write a preprocess net of your own, which joins the parts of an observation",
    "Tuple": "write a preprocess net of your own, which joins the parts of an observation",
}


def _remedy(name: str, space: object, otherwise: str) -> str:
    """Return what to do with a space of another kind, for an argument about actions or about observations."""
    remedies = _OF_OBSERVATIONS if "state" in name else _OF_ACTIONS
    return remedies.get(type(space).__name__, otherwise)


def is_space(value: object) -> bool:
    """Return whether a value is a space of any kind."""
    return is_box(value) or (not isinstance(value, type) and hasattr(value, "contains") and hasattr(value, "sample"))


def is_box(value: object) -> TypeGuard[Box]:
    """Return whether a value is a `Box`."""
    return not isinstance(value, type) and all(hasattr(value, name) for name in ("low", "high", "shape"))


def is_discrete(value: object) -> TypeGuard[Discrete]:
    """Return whether a value is a `Discrete`: `MultiBinary` has an `n` too, but no `start`."""
    return is_space(value) and hasattr(value, "n") and hasattr(value, "start")


def box_shape(name: str, space: object) -> tuple[int, ...]:
    """Return the shape of a `Box`.

    Parameters
    ----------
    name : str
        The argument's name, for an error.
    space : Box

    Raises
    ------
    TypeError
        For a space of another kind, with what to use for it.
    """
    if not is_box(space):
        remedy = _remedy(name, space, "pass the shape of its arrays, if they are arrays of numbers")
        raise TypeError(f"{name} must be a shape or a Box, but is {_shown(space)}; {remedy}")
    return tuple(map(int, space.shape))


def box_bounds(name: str, space: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of a `Box` of real numbers, each an array of its shape; they may be infinite or NaN.

    Raises
    ------
    TypeError
        If its arrays are of integers.
    """
    kind = np.dtype(getattr(space, "dtype", None) or np.float64).kind
    if kind != "f":
        raise TypeError(
            f"{name} must be a Box of floating-point numbers, but is {_shown(space)}, of integers; to round actions "
            "yourself pass its shape and bounds: action_shape=box.shape, low=box.low, high=box.high"
        )
    low, high = (np.asarray(bound, np.float64) for bound in (space.low, space.high))
    return np.broadcast_to(low, space.shape), np.broadcast_to(high, space.shape)


def choices(name: str, space: object) -> int:
    """Return how many actions a `Discrete` has, which must begin at zero.

    Parameters
    ----------
    name : str
        The argument's name, for an error.
    space : Discrete

    Raises
    ------
    TypeError
        For a space of another kind, with what to use for it.
    ValueError
        If its first action is not zero.
    """
    if is_box(space):
        raise TypeError(
            f"{name} must be a number of actions to choose from, or a Discrete, but is {_shown(space)}, whose actions "
            "are real numbers; use npnets.Actor or npnets.ActorProb"
        )
    if not is_discrete(space):
        remedy = _remedy(name, space, "pass the number of actions")
        raise TypeError(f"{name} must be a number of actions or a Discrete, but is {_shown(space)}; {remedy}")
    if space.start != 0:
        raise ValueError(
            f"{name} must be a Discrete that begins at 0, but is {_shown(space)}; pass {name}={int(space.n)}, and add "
            f"{int(space.start)} to each action before env.step"
        )
    return int(space.n)


def _shown(space: object) -> str:
    return f"{space!r:.80}"

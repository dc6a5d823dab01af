"""Bounds of actions: checked and stored as plain numbers, and rounded to a dtype so that no action leaves them.

Actions lie within `[-max_action, max_action]`, or within `[low, high]`; of both the other is `None`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from npnets.backend import Array, to_device
from npnets.caches import bounded_cache
from npnets.description import Number, call_repr, frozen, set_fields
from npnets.spaces import box_bounds, is_box, is_space

Edge: TypeAlias = (
    Number | Sequence[Number] | Sequence[Sequence[Number]] | NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
)
"""A lower or an upper bound: one number, or an array of an action's shape."""

PlainEdge: TypeAlias = float | tuple[Any, ...]
"""An `Edge` as it is stored: one number, also if all are equal, or nested tuples."""


def bound(name: str, value: object, actions: int | None = None) -> float | tuple[float, ...]:
    """Return a bound of actions: one positive, finite number, or one for each dimension of the action."""
    array = _numbers(name, value, "a number or a sequence of numbers")
    if not np.all(np.isfinite(array)) or not np.all(array > 0):
        raise ValueError(f"{name} must be positive and finite, but is {value!r}; {_remedy(array)}")
    if array.ndim == 0:
        return float(array)
    if array.ndim != 1 or (actions is not None and array.shape != (actions,)):
        expected = "one dimension" if actions is None else f"shape ({actions},), one entry for each action dimension"
        hint = "; if it is (low, high), use low= and high=" if array.ndim > 1 and len(array) == 2 else ""
        raise ValueError(f"{name} must be one number or an array of {expected}, but has shape {array.shape}{hint}")
    return tuple(array.tolist())


def _remedy(array: NDArray[np.float64]) -> str:
    if array.ndim and len(array) == 2 and np.isfinite(array).all() and np.all(array[0] < array[1]):
        low, high = array.tolist()
        return f"if it is (low, high), use low={low}, high={high} in place of it"
    return (
        "for bounds that are not symmetric use low= and high=, for actions without bounds unbounded=True where the "
        "network has it"
    )


def edge(name: str, value: object, axes: tuple[int, ...] | int | None, without: str) -> PlainEdge:
    """Return a lower or upper bound as one number or as nested tuples, once it is checked.

    Parameters
    ----------
    name : str
    value : Edge
    axes : tuple of int, int or None
        The shape of an action, or only the number of its entries; `None` if neither is known.
    without : str
        The remedy for actions without bounds.
    """
    array = _numbers(name, value, "a number or a NumPy array of numbers")
    if array.ndim and axes not in (None, array.shape, array.size):
        shape = (axes,) if isinstance(axes, int) else axes
        raise ValueError(
            f"{name} must be one number, or one for each action dimension, of shape {shape}, but has shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, but is {value!r:.80}; {without}")
    return _plain(array)


def _numbers(name: str, value: object, expected: str) -> NDArray[np.float64]:
    if is_space(value):
        raise TypeError(
            f"{name} must be {expected}, but is {value!r:.80}; pass a Box as action_shape where the network has one, "
            "or its bounds: low=box.low, high=box.high"
        )
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be {expected}, but is {value!r:.80}") from error
    if array.dtype.kind not in "iuf":
        hint = "; give max_action, or low and high" if value is None and name == "max_action" else ""
        raise TypeError(f"{name} must be {expected}, but is {value!r:.80}{hint}")
    return array.astype(np.float64)


def _plain(array: NDArray[np.float64]) -> PlainEdge:
    numbers: list[float] = array.ravel().tolist()
    plain: PlainEdge = numbers[0] if numbers and len(set(numbers)) == 1 else frozen(array.tolist())
    return plain


# -- the fields of a network ------------------------------------------------------------------------------------------

_WITHOUT = "for a policy without bounds use ActorProb(..., unbounded=True)"


def set_bounds(network: Any, axes: tuple[int, ...] | int | None, space: object = None, unbounded: bool = False) -> None:
    """Check a network's fields `max_action`, `low` and `high`, and store them as plain numbers.

    Parameters
    ----------
    network : Network
        A description that is being made.
    axes : tuple of int, int or None
        The shape of an action, or only the number of its entries; `None` if neither is known.
    space : object
        The action's shape as it was passed: a `Box` gives its bounds, unless there are others. One whose `low` is
        `-high` gives `max_action`.
    unbounded : bool
        Whether actions are not bounded: then bounds are only remembered, for a distribution that squashes them.
    """
    low, high = network.low, network.high
    if (low is None) != (high is None):
        given, missing = ("low", "high") if high is None else ("high", "low")
        raise TypeError(f"{given} needs {missing} beside it; for bounds of -b and b use max_action=b")
    if low is not None:
        low, high = _checked_edges(network, low, high, axes, unbounded)
        set_fields(network, max_action=1.0 if unbounded else None, low=low, high=high)
    elif is_box(space):
        _set_bounds_of_box(network, space, unbounded)
    elif not unbounded:
        entries = math.prod(axes) if isinstance(axes, tuple) else axes
        set_fields(network, max_action=bound("max_action", network.max_action, entries))


def _checked_edges(
    network: Any, low: object, high: object, axes: tuple[int, ...] | int | None, unbounded: bool
) -> tuple[PlainEdge, PlainEdge]:
    if not unbounded and not _is_default(network):
        raise TypeError(
            f"expected max_action, or low and high, but got max_action={network.max_action!r:.40} beside them; leave "
            "out max_action"
        )
    low, high = edge("low", low, axes, _WITHOUT), edge("high", high, axes, _WITHOUT)
    check_below(low, high)
    return low, high


def check_below(low: PlainEdge, high: PlainEdge) -> None:
    """Check that a lower bound lies below the upper one, for each action dimension."""
    lows, highs = np.ravel(low), np.ravel(high)
    if lows.size != highs.size and 1 not in (lows.size, highs.size):
        raise ValueError(f"low and high must have one shape, but are {low!r:.80} and {high!r:.80}")
    if not np.all(lows < highs):
        raise ValueError(f"low must be below high, but low is {low!r:.80} and high is {high!r:.80}")


def _is_default(network: Any) -> bool:
    value, default = network.max_action, type(network).max_action
    return value is None or (isinstance(value, (int, float)) and value == default)


def _set_bounds_of_box(network: Any, space: Any, unbounded: bool) -> None:
    low, high = box_bounds("action_shape", space)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        if unbounded:
            return
        raise ValueError(
            f"action_shape must be a Box with finite bounds, but is {space!r:.80}; pass low= and high= of your own "
            f"beside it, or {_WITHOUT.removeprefix('for a policy without bounds ')}"
        )
    if not (low < high).all():
        raise ValueError(f"action_shape must be a Box whose low lies below its high, but is {space!r:.80}")
    is_symmetric = bool(np.array_equal(low, -high))
    if not unbounded and not _is_default(network):
        _check_same_bound(network.max_action, space, high.ravel(), is_symmetric)
    if unbounded or not is_symmetric:
        set_fields(network, max_action=1.0 if unbounded else None, low=_plain(low), high=_plain(high))
    else:
        set_fields(network, max_action=_plain(high.ravel()))


def _check_same_bound(max_action: object, space: Any, high: NDArray[np.float64], is_symmetric: bool) -> None:
    """Check that `max_action` is what a `Box` says, up to float32: Gymnasium stores 0.4 as the float32 next to it."""
    given = np.asarray(bound("max_action", max_action, high.size), np.float32)
    if not is_symmetric or not np.array_equal(np.broadcast_to(given, high.shape), high.astype(np.float32)):
        raise ValueError(
            f"expected max_action as the Box has it, or none, but max_action is {max_action!r:.40} and action_shape "
            f"{space!r:.80}; leave out max_action, or for bounds of your own pass action_shape=box.shape"
        )


def repr_with_bounds(network: Any) -> str:
    """Write a network as the call that makes it, without the `max_action` that is `None` beside `low` and `high`."""
    return call_repr(network, **({"max_action": type(network).max_action} if network.max_action is None else {}))


# -- rounded to a dtype -----------------------------------------------------------------------------------------------


class Rounded(NamedTuple):
    """Bounds as numbers of a dtype: every `middle + half * t` with `t` in [-1, 1] lies within `[low, high]`.

    Each is one number, or an array `(actions,)`.
    """

    low: Any
    high: Any
    middle: Any
    half: Any


def within(lows: Array, highs: Array, dtype: np.dtype[Any]) -> Rounded:
    """Round bounds to a dtype: inwards, if it cannot hold them.

    Half the width is rounded down until `middle + half` and `middle - half` lie inside. As rounding keeps order, so
    does then every `middle + half * t`, without a clip, which would end derivatives.
    """
    with np.errstate(over="ignore", under="ignore"):
        low, high = -rounded_down(-lows, dtype), rounded_down(highs, dtype)
        check_room(low <= high, lows, highs, dtype)
        middle = np.clip(low / 2 + high / 2, low, high)
        half = np.minimum(high - middle, middle - low)
        half = np.where(half > 0, half, high / 4 - low / 4)  # of neighbours: rounds to the even one, their middle
        while (outside := (middle + half > high) | (middle - half < low)).any():
            half = np.where(outside, np.nextafter(half, np.zeros_like(half)), half)
    return Rounded(low, high, middle, half)


def rounded_down(exact: Array, dtype: np.dtype[Any]) -> Array:
    """Return the largest numbers of a dtype that are not above others."""
    with np.errstate(over="ignore"):
        nearest = exact.astype(dtype)
    return np.where(nearest > exact, np.nextafter(nearest, dtype.type(-np.inf)), nearest)


def check_room(there_is: Array, low: Array, high: Array, dtype: np.dtype[Any]) -> None:
    """Check that numbers of a dtype lie between bounds."""
    if not np.all(there_is):
        raise ValueError(f"no numbers of {dtype} lie between low {low.tolist()} and high {high.tolist()}")


def check_entries(name: str, bounds: tuple[int, ...], entries: tuple[int, ...]) -> None:
    """Check that actions have as many entries as their bounds: the part that computes them may have no `output_dim`."""
    if bounds != entries:
        raise ValueError(f"{name} must have an entry for each of an action, {entries}, but has shape {bounds}")


@bounded_cache(maxsize=256)
def rounded(low: PlainEdge, high: PlainEdge, entries: tuple[int, ...], dtype: str, device: str) -> Rounded:
    """Return bounds in a dtype and on a device; they are copied to a GPU once and not in each forward pass."""
    lows, highs = (np.asarray(one, np.float64).ravel() for one in (low, high))
    for name, one, several in (("low", low, lows), ("high", high, highs)):
        if isinstance(one, tuple):
            check_entries(name, several.shape, entries)
    both = np.broadcast_shapes(lows.shape, highs.shape)
    found = within(np.broadcast_to(lows, both), np.broadcast_to(highs, both), np.dtype(dtype))
    if isinstance(low, float) and isinstance(high, float):
        return Rounded(*(array.item() for array in found))
    for array in found:
        array.setflags(write=False)
    return Rounded(*(to_device(array, device) for array in found))

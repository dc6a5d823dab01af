"""From a network's output to an action in the environment's own units.

An output is `(n, entries)` here, and bounds are `(entries,)`, rounded inwards to the dtype of the parameters.
"""

from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

import npnets.numpy as nnp
from npnets.backend import Array, to_device
from npnets.bounds import check_room, rounded_down, within
from npnets.common import Net
from npnets.normalization.network import unwrapped
from npnets.policy import network as networks

ToAction: TypeAlias = Literal["as_is", "squash", "clip", "clip_and_scale", "greedy"]
Bounds: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

CHOICES: tuple[ToAction, ...] = get_args(ToAction)
INTO_BOUNDS = ("squash", "clip", "clip_and_scale")


def choice(network: Any, to_action: object, has_bounds: bool) -> ToAction:
    """Return how a network's output becomes an action, the network's own choice for `None`."""
    chooses = isinstance(unwrapped(network), networks.CHOOSES)
    if to_action is None:
        if has_bounds:
            raise TypeError(
                "low and high need to_action, which says how outputs reach them: 'squash' by tanh as SAC does, 'clip' "
                "as PPO does, 'clip_and_scale' from [-1, 1], or 'as_is' for outputs that lie within them already"
            )
        if chooses:
            return "greedy"
        return "squash" if networks.is_unbounded(network) and networks.bounds(network) else "as_is"
    if to_action not in CHOICES:
        raise ValueError(f"to_action must be None or one of {', '.join(CHOICES)}, but is {to_action!r:.80}")
    if to_action in INTO_BOUNDS and (chooses or networks.action_shape(network) is None and not has_bounds):
        raise TypeError(f"to_action={to_action!r} needs a network of continuous actions and low and high")
    if to_action == "squash" and isinstance(unwrapped(network), networks.ACTORS) and not networks.is_unbounded(network):
        raise TypeError(
            f"to_action='squash' needs an actor that does not squash by itself, but network is {network!r:.80}; use "
            "'as_is' with its own bounds, 'clip_and_scale' for others, or ActorProb(..., unbounded=True)"
        )
    _check_greedy(unwrapped(network), to_action, has_bounds)
    return to_action


def _check_greedy(inner: Any, to_action: object, has_bounds: bool) -> None:
    if to_action != "greedy":
        return
    if has_bounds or isinstance(inner, networks.ACTORS):
        raise TypeError(f"to_action='greedy' chooses among discrete actions, but network is {inner!r:.80} with bounds")
    if isinstance(inner, Net) and inner.num_atoms > 1 and inner.softmax:
        raise TypeError(
            "to_action='greedy' needs values of actions, but this Net returns probabilities of atoms, whose values it "
            "does not know; use 'as_is' and weight the atoms yourself"
        )


def checked_bounds(low: object, high: object, network: Any, to_action: ToAction) -> Bounds | None:
    """Return bounds as arrays of an action's shape, or `None` if there are none."""
    if low is None and high is None:
        if to_action in INTO_BOUNDS:
            raise TypeError(f"to_action={to_action!r} needs low and high, and the network has no bounds of its own")
        return None
    lows, highs = (_numbers(name, value) for name, value in (("low", low), ("high", high)))
    shape = networks.action_shape(network) or np.broadcast_shapes(lows.shape, highs.shape)
    shape = shape or networks.features(network)
    lows, highs = (_in_shape(name, value, shape) for name, value in (("low", lows), ("high", highs)))
    if not (lows < highs).all():
        raise ValueError(f"low must be below high, but low is {low!r:.80} and high is {high!r:.80}")
    if to_action in ("squash", "clip_and_scale") and not np.isfinite([lows, highs]).all():
        raise ValueError(f"to_action={to_action!r} needs finite bounds, but they are {low!r:.80} and {high!r:.80}")
    return lows, highs


def _numbers(name: str, value: object) -> NDArray[np.float64]:
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number or an array of an action's shape, but is {value!r:.80}") from error


def _in_shape(name: str, value: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    if value.ndim and value.shape != shape and value.size != np.prod(shape):
        raise ValueError(f"{name} must be one number or of an action's shape, {shape}, but has shape {value.shape}")
    found = value.reshape(shape) if value.ndim else np.full(shape, value)
    found.setflags(write=False)
    return found


class Mapping(NamedTuple):
    """Maps outputs to actions; `middle` and `half` belong to the mappings that scale."""

    to_action: ToAction
    low: Any = None
    high: Any = None
    middle: Any = None
    half: Any = None

    def on(self, device: str) -> "Mapping":
        """Return the mapping with its bounds on a device."""
        low, high, middle, half = (part if part is None else to_device(part, device) for part in self[1:])
        return Mapping(self.to_action, low, high, middle, half)

    def apply(self, x: Array) -> Array:
        """Return actions `(n, entries)`, or indices `(n, ...)`."""
        if self.to_action == "as_is":
            return x
        if self.to_action == "greedy":
            return nnp.argmax(x, -1)
        if self.to_action == "clip":
            return nnp.clip(x, self.low, self.high)
        scaled: Array = self.middle + self.half * (nnp.tanh(x) if self.to_action == "squash" else nnp.clip(x, -1, 1))
        return scaled


def mapping(to_action: ToAction, bounds: Bounds | None, dtype: np.dtype[Any]) -> Mapping:
    """Return a mapping whose bounds are rounded to a dtype."""
    if bounds is None or to_action not in INTO_BOUNDS:
        return Mapping(to_action)
    low, high = (bound.ravel() for bound in bounds)
    if to_action == "clip":
        lowest, highest = -rounded_down(-low, dtype), rounded_down(high, dtype)
        check_room(lowest <= highest, low, high, dtype)
        return Mapping(to_action, lowest, highest)
    return Mapping(to_action, *within(low, high, dtype))

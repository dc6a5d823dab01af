"""Spaces of Gym and Gymnasium in other libraries' files, as inert stand-ins with plain attributes."""

from typing import Any

import numpy as np

from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import quoted
from npnets.interop.foreign import Foreign
from npnets.interop.policies.action_space import Bounds

_LIBRARIES = ("gym.spaces.", "gymnasium.spaces.")


def kind(space: object, what: str) -> str:
    """Return the class of a space, such as `"Box"`; `what` the space is of, for an error."""
    if not isinstance(space, Foreign) or not space.name.startswith(_LIBRARIES) or not isinstance(space.state, dict):
        found = space.name if isinstance(space, Foreign) else type(space).__name__
        raise Fault(f"its {what} are of {quoted(found, 200)}, where a space of Gym or Gymnasium must be")
    return space.name.rpartition(".")[2]


def bounds(space: Foreign, what: str) -> Bounds:
    """Return the lower and the upper bound of a `Box`, arrays of one shape."""
    low, high = (space.state.get(name) for name in ("low", "high"))
    if not isinstance(low, np.ndarray) or not isinstance(high, np.ndarray) or low.shape != high.shape:
        raise Fault(f"its {what} are a Box without a low and a high of one shape; {DAMAGED}")
    if low.dtype.kind not in "fiu" or high.dtype.kind not in "fiu":
        raise Fault(f"its {what} are a Box of {low.dtype} and {high.dtype}, where real numbers must be")
    return low, high


def whole_number(space: Foreign, name: str, what: str, default: int | None = None) -> int:
    """Return an attribute of a space that is an integer."""
    value: Any = space.state.get(name, default)
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise Fault(f"its {what} are a space whose {name!r} is {quoted(value)}, where an integer must be; {DAMAGED}")
    return int(value)

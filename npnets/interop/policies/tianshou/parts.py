"""The networks of a policy of Tianshou in what a file holds, by their names there."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from npnets.interop.foreign import Foreign
from npnets.interop.tianshou import split

Parts: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The state dict of each network, by its name: `actor`, `critic`, `critic_old`, `model`, ..."""

_ENTRIES = ("model", "policy", "algorithm", "state_dict")
_OF_AN_ACTOR = ("preprocess.", "last.model.0.", "mu.model.0.", "nn.weight_ih_l0")
_OF_VALUES = ("model.model.", "Q.model.")


def parts_in(contents: object) -> Parts | None:
    """Return the networks of a policy, if a state dict of one is there, alone or as an entry of a dict."""
    if not isinstance(contents, dict):
        return None
    candidates: list[Any] = [contents, *(contents.get(name) for name in _ENTRIES)]
    found = (split(candidate) for candidate in candidates if _is_state_dict(candidate))
    return next((parts for parts in found if _is_policy(parts)), None)


def whole_object_in(contents: object) -> Foreign | None:
    """Return the object of Tianshou that a file holds, if it is a whole policy or algorithm and no state dict."""
    return contents if isinstance(contents, Foreign) and contents.name.startswith("tianshou.") else None


def _is_state_dict(candidate: object) -> bool:
    if not isinstance(candidate, dict) or not all(type(name) is str for name in candidate):
        return False
    return any("." in name and hasattr(value, "shape") for name, value in candidate.items())


def _is_policy(parts: Parts) -> bool:
    if any(name.startswith(_OF_AN_ACTOR) for name in parts.get("actor", {})):
        return True
    values = parts.get("model", {})  # of DQN and its relatives, mostly with a target network
    return "model_old" in parts or (len(parts) == 1 and any(name.startswith(_OF_VALUES) for name in values))

"""The state dict of a whole policy, taken apart by the names of its networks.

What each version of Tianshou puts around the names of a network, and what is done about it:

| names | where | here |
|---|---|---|
| `actor.`, `critic2_old.`, `vae.`, ... | policies of 1.x | a prefix |
| `policy.actor.` | algorithms of 2.x | the prefix `actor` finds it too |
| `critic_old.module.` | 2.x: target networks, and trunks given an output size | a wrapper: left out |
| `net.module.` | `DataParallelNet` | the same |
| `_actor_critic.actor.` | 1.x: the networks of PPO and its kin for a second time | a prefix of its own |
| `_optimizers` | algorithms of 2.x | no parameters; `split` leaves it out |
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from npnets.interop.tianshou_faults import Shapes, listed

HOLDER = "policy."
TWICE = "_actor_critic"
OPTIMIZERS = "_optimizers"
_AT_THE_START = re.compile(r"(?:net\.)?module\.")
_ANYWHERE = re.compile(r"(?<![^.])(?:net\.)?module\.")


def require_state_dict(state_dict: Any) -> Mapping[str, Any]:
    """Return a state dict, or say what came instead."""
    if not isinstance(state_dict, Mapping):
        hint = "; pass module.state_dict()" if hasattr(state_dict, "state_dict") else ""
        raise TypeError(f"state_dict must be a dict from names to arrays, but is a {type(state_dict).__name__}{hint}")
    wrong = next((key for key in state_dict if not isinstance(key, str)), None)
    if wrong is not None:
        raise TypeError(f"the keys of a state dict must be texts, but one is {wrong!r:.80}")
    inner = [key for key, value in state_dict.items() if isinstance(value, Mapping)]
    if inner and not any(hasattr(value, "shape") for value in state_dict.values()):
        raise TypeError(
            f"there are dicts and no arrays at {listed(inner)}: this is a checkpoint, which "
            f"holds a state dict beside others; pass the one that is meant, such as [{inner[0]!r}]"
        )
    return state_dict


def dotted(prefix: str) -> str:
    """Return a prefix with the dot that ends it; nothing stays nothing."""
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a text such as 'actor', but is {prefix!r:.80}")
    return f"{prefix.rstrip('.')}." if prefix else ""


def split(state_dict: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Take the state dict of a whole policy or algorithm apart, into one for each network that it holds.

    Parameters
    ----------
    state_dict : dict
        As `policy.state_dict()` (1.x) or `algorithm.state_dict()` (2.x) gives it.

    Returns
    -------
    dict of dicts
        By the names of the networks, which are the same for both versions as far as the algorithms are: `actor`,
        `critic`, `critic2`, `critic_old`, `vae`, ... Values are passed on as they are. What is no network's (`alpha`)
        is a part like any other, names without a dot are in the part `""`, and the states of optimizers are left out.
    """
    tops = {key.partition(".")[0] for key in require_state_dict(state_dict)}
    parts: dict[str, dict[str, Any]] = {}
    for key, value in state_dict.items():
        if key != OPTIMIZERS:
            name, rest = _taken_apart(key, tops)
            parts.setdefault(name, {})[rest] = value
    return {name: unwrapped(part) for name, part in parts.items()}


def part_of(state_dict: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return what stands below a prefix, which is left out of the names.

    Raises
    ------
    ValueError
        If nothing does.
    """
    start = dotted(prefix)
    for place in (start, HOLDER + start) if start else ("",):
        found = {key[len(place) :]: value for key, value in state_dict.items() if key.startswith(place)}
        if found or not start:
            return unwrapped(found)
    parts = [name for name in split(state_dict) if name]
    raise ValueError(f"no name in the state dict begins with {start!r}; it has the parts {listed(parts, most=12)}")


def unwrapped(part: dict[str, Any]) -> dict[str, Any]:
    """Leave out the wrappers that stand around a whole network."""
    while part and all(_AT_THE_START.match(name) for name in part):
        part = {_AT_THE_START.sub("", name, count=1): value for name, value in part.items()}
    return part


def without_wrappers(part: Mapping[str, Any], expected: Iterable[str]) -> dict[str, Any]:
    """Leave the wrappers out of names inside a network too, where that makes a name that is expected and missing."""
    wanted = {name for name in expected if name not in part}
    bare = {name: _ANYWHERE.sub("", name) for name in part}
    renamed = {bare[name] if bare[name] in wanted else name: value for name, value in part.items()}
    return renamed if len(renamed) == len(part) else dict(part)


def places_of(expected: Shapes, state_dict: Mapping[str, Any]) -> list[str]:
    """Return the prefixes at which all parameters of a network stand, in their shapes."""
    first = next(iter(expected), None)
    if first is None:
        return []
    ending = f".{first}"
    found = [key.removesuffix(ending) for key in state_dict if key.endswith(ending)]
    return [place for place in found if all(_has(state_dict, f"{place}.{n}", s) for n, s in expected.items())]


def _has(state_dict: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> bool:
    return name in state_dict and tuple(getattr(state_dict[name], "shape", ())) == shape


def _taken_apart(key: str, tops: set[str]) -> tuple[str, str]:
    name, dot, rest = key.partition(".")
    if name + dot == HOLDER and rest.partition(".")[0] not in tops:
        return _taken_apart(rest, tops)
    if name in (TWICE, HOLDER[:-1]) and "." in rest:
        inner, _, rest = rest.partition(".")
        return f"{name}.{inner}", rest
    return (name, rest) if dot else ("", name)

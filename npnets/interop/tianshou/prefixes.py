"""Prefixes and wrappers of names in the state dict of a whole policy, and its division into networks.

Each version of Tianshou adds something to the names of a network:

| names | added by | treated as |
|---|---|---|
| `actor.`, `critic2_old.`, `vae.`, ... | policies of 1.x | a prefix |
| `policy.actor.` | algorithms of 2.x | the prefix `actor` finds it too |
| `critic_old.module.` | 2.x: target networks, and trunks given an output size | a wrapper: removed |
| `net.module.` | `DataParallelNet` | the same |
| `_orig_mod.` | `torch.compile` | the same |
| `_actor_critic.actor.` | 1.x: the networks of PPO and similar algorithms for a second time | a prefix of its own |
| `_optimizers` | algorithms of 2.x | no parameters; `split` omits it |

Wrappers are removed around the whole state dict, around a network, and around its parts.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from npnets.files.quoting import listed
from npnets.interop.tianshou.differences import Shapes

Value = TypeVar("Value")

HOLDER = "policy."
TWICE = "_actor_critic"
OPTIMIZERS = "_optimizers"
_WRAPPER = r"(?:(?:net\.)?module|_orig_mod)\."
_AT_THE_START = re.compile(_WRAPPER)
_ANYWHERE = re.compile(rf"(?<![^.]){_WRAPPER}")
_MOST_PLACES, _MOST_WRAPPERS, _MOST_NAMES = 100, 16, 64
"""Limits: prefixes that are tried, nested wrappers that are removed, and dots in a name that is looked at."""

_OURS = re.compile(r"(?:linear|norm|layer)_\d+")
"""Names of parts of npnets' parameters, which Tianshou has not."""


def check_state_dict(state_dict: object) -> None:
    """Check that a value is a state dict; the error says what it is instead."""
    if not isinstance(state_dict, Mapping):
        hint = "; pass module.state_dict()" if hasattr(state_dict, "state_dict") else ""
        raise TypeError(f"state_dict must be a dict from names to arrays, but is a {type(state_dict).__name__}{hint}")
    wrong = next((key for key in state_dict if not isinstance(key, str)), None)
    if wrong is not None:
        raise TypeError(f"the keys of a state dict must be strings, but one is {wrong!r:.80}")
    ours = None if any("." in key for key in state_dict) else _place_of_parameters(state_dict)
    if ours is not None:
        raise TypeError(
            f"these are parameters of npnets already, as init makes them (there is a dict {ours!r}): use them as they "
            "are; to_state_dict(net, params) converts them to a state dict"
        )
    inner = [key for key, value in state_dict.items() if isinstance(value, Mapping)]
    if inner and not any(hasattr(value, "shape") for value in state_dict.values()):
        raise TypeError(
            f"there are dicts and no arrays at {listed(inner)}: this is a checkpoint, which "
            f"holds a state dict beside other values; pass that one, such as [{inner[0]!r}]"
        )


def _place_of_parameters(given: Mapping[str, object], at: str = "") -> str | None:
    """Return the place of a layer of npnets' parameters in nested dicts, or `None`."""
    for key, value in given.items():
        if isinstance(value, Mapping):
            place = f"{at}{key}"
            found = place if _OURS.fullmatch(str(key)) else _place_of_parameters(value, f"{place}.")
            if found:
                return found
    return None


def dotted(prefix: str) -> str:
    """Return a prefix with a dot at its end; an empty one stays empty."""
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a string such as 'actor', but is {prefix!r:.80}")
    return f"{prefix.rstrip('.')}." if prefix else ""


def split(state_dict: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """Divide the state dict of a whole policy or algorithm into one for each of its networks.

    Parameters
    ----------
    state_dict : dict
        Of `policy.state_dict()` (1.x) or `algorithm.state_dict()` (2.x).

    Returns
    -------
    dict of dicts
        By the names of the networks, which are the same for both versions as far as the algorithms are: `actor`,
        `critic`, `critic2`, `critic_old`, `vae`, ... Values are the same objects. A value that belongs to no network
        (`alpha`) is a part like any other, names without a dot are in the part `""`, and the states of optimizers are
        omitted.
    """
    check_state_dict(state_dict)
    state_dict = unwrapped(state_dict)
    tops = {key.partition(".")[0] for key in state_dict}
    parts: dict[str, dict[str, Value]] = {}
    for key, value in state_dict.items():
        if key != OPTIMIZERS:
            name, rest = _divided(key, tops)
            parts.setdefault(name, {})[rest] = value
    return {name: unwrapped(part) for name, part in parts.items()}


def part_of(state_dict: Mapping[str, object], prefix: str) -> dict[str, object]:
    """Return the values below a prefix, which is removed from their names; an empty dict if there are none."""
    start = dotted(prefix)
    for names in (state_dict, unwrapped(state_dict)):
        for place in (start, HOLDER + start) if start else ("",):
            found = {key[len(place) :]: value for key, value in names.items() if key.startswith(place)}
            if found:
                return unwrapped(found)
    return {}


def check_part(state_dict: Mapping[str, object], prefix: str, expected: Shapes) -> dict[str, object]:
    """Return the values below a prefix, without the wrappers in their names."""
    found = part_of(state_dict, prefix)
    if not found and dotted(prefix):
        advice = _other_than(state_dict, prefix, expected)
        raise ValueError(f"no name in the state dict begins with {dotted(prefix)!r}; {advice}")
    return without_wrappers(found, expected)


def _other_than(state_dict: Mapping[str, object], prefix: str, expected: Shapes) -> str:
    """Return advice for a prefix below which there is nothing."""
    key = prefix.rstrip(".")
    if isinstance(state_dict.get(key), Mapping):
        return f"there is a dict of that name: pass state_dict[{key!r}] without prefix"
    if fits(expected, state_dict):
        return "the network fits without one: leave prefix out"
    parts = [name for name in split(state_dict) if name]
    if parts:
        return f"it has the parts {listed(parts, most=12)}"
    return f"it has no parts, but only {listed(list(state_dict))}" if state_dict else "it is empty"


def unwrapped(part: Mapping[str, Value]) -> dict[str, Value]:
    """Remove the wrappers around all names, unless two names would become one."""
    bare = dict(part)
    for _ in range(_MOST_WRAPPERS):
        if not bare or not all(_AT_THE_START.match(name) for name in bare):
            break
        inner = {_AT_THE_START.sub("", name, count=1): value for name, value in bare.items()}
        if len(inner) < len(bare):
            break
        bare = inner
    return bare


def without_wrappers(part: Mapping[str, object], expected: Iterable[str]) -> dict[str, object]:
    """Remove wrappers inside names too, where that makes a name that is expected and missing."""
    missing = {name for name in expected if name not in part}
    bare = {name: _ANYWHERE.sub("", name) for name in part}
    renamed = {bare[name] if bare[name] in missing else name: value for name, value in part.items()}
    return renamed if len(renamed) == len(part) else dict(part)


def fits(expected: Shapes, state_dict: Mapping[str, object], prefix: str = "") -> bool:
    """Whether all parameters of a network are below a prefix, in their shapes."""
    part = without_wrappers(part_of(state_dict, prefix), expected)
    return bool(expected) and all(
        name in part and tuple(getattr(part[name], "shape", ())) == shape for name, shape in expected.items()
    )


def prefixes_of(expected: Shapes, state_dict: Mapping[str, object]) -> list[str]:
    """Return the prefixes below which all parameters of a network are, in their shapes."""
    first = next(iter(expected), None)
    places = dict.fromkeys(_before(key, first) for key in state_dict) if first is not None else {}
    tried = itertools.islice((place for place in places if place), _MOST_PLACES)
    return [place for place in tried if fits(expected, state_dict, place)]


def _before(key: str, name: str) -> str:
    """Return the prefix of a key that ends with a name, whatever wrappers are in it, or an empty string."""
    parts = key.split(".") if key.count(".") <= _MOST_NAMES else []
    ends = range(len(parts) - 1, 0, -1)
    return next((".".join(parts[:end]) for end in ends if _ANYWHERE.sub("", ".".join(parts[end:])) == name), "")


def _divided(key: str, tops: set[str]) -> tuple[str, str]:
    name, dot, rest = key.partition(".")
    if name + dot == HOLDER and rest.partition(".")[0] not in tops:
        return _divided(rest, tops)
    if name in (TWICE, HOLDER[:-1]) and "." in rest:
        inner, _, rest = rest.partition(".")
        return f"{name}.{inner}", rest
    return (name, rest) if dot else ("", name)

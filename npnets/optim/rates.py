"""Settings that may differ from update to update and from one part of the parameters to another: *rates*.

A rate is a number; or a *schedule*, a function of the number of updates made before this one; or a dict of rates by the
names of the parameters' parts, nested down to where one rate is for all that is below. The rates of one update are
*current rates*: all of them numbers, or all of them trees that have a number in the place of each parameter.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from npnets import tree
from npnets.description import Number, frozen, plain
from npnets.optim.settings import check_not_negative
from npnets.tree import Tree

Schedule: TypeAlias = Callable[[int], Number]
Rate: TypeAlias = "Number | Schedule | Mapping[str, Rate]"
CurrentRate: TypeAlias = "float | Tree"

_KINDS = (
    "it may also be a function of the number of updates made before, or a dict of rates by the names of the "
    "parameters' parts"
)
_HOLDS_NONE = "an optimizer holds no parameters: give them to its init and update"


def check_rate(name: str, rate: Any, path: str = "") -> Rate:
    """Return a rate as a value of its own: dicts are copied, and numbers become Python's.

    Raises
    ------
    TypeError
        If it is of another kind.
    ValueError
        If a number is negative or not finite.
    """
    if isinstance(rate, Mapping):
        return {key: check_rate(name, part, _below(path, key)) for key, part in rate.items()}
    if callable(rate):
        return frozen(rate)
    return check_not_negative(_at(name, path), rate, _HOLDS_NONE if getattr(rate, "shape", ()) else _KINDS)


def current_rates(step: int, params: Tree, **rates: Rate) -> Sequence[CurrentRate]:
    """Return the rates of the update after `step` updates: all of them numbers, or all of them trees.

    Raises
    ------
    TypeError
        If a schedule returns no number.
    ValueError
        If a schedule returns one that is negative or not finite, or a dict of rates does not name all parts of the
        parameters, or names others.
    """
    now = [_at_step(name, rate, step) for name, rate in rates.items()]
    if dict not in map(type, now):
        return now
    return [_spread(name, rate, params) for name, rate in zip(rates, now, strict=True)]


def map_rated(fun: Callable[..., Any], rate: CurrentRate, *trees: Tree) -> Tree:
    """Apply a function of a rate and of a leaf of each tree to all leaves, as `tree.map`."""
    if type(rate) is float:
        return tree.map(functools.partial(fun, rate), *trees)
    return tree.map(fun, rate, *trees)


def _at_step(name: str, rate: Any, step: int, path: str = "") -> Any:
    """Return a rate with the values of its schedules in their places."""
    if type(rate) is float:
        return rate
    if isinstance(rate, dict):
        return {key: _at_step(name, part, step, _below(path, key)) for key, part in rate.items()}
    value = plain(rate(int(step)))
    place = f"{_at(name, path)}, by its schedule {rate!r:.80} at step {int(step)},"
    return check_not_negative(place, value, "a schedule takes the number of updates made before, and returns a number")


def _spread(name: str, rate: Any, part: Tree, path: str = "") -> Tree:
    """Return a tree of a part's structure that has its rate in the place of each parameter."""
    if not isinstance(rate, dict):
        return tree.map(lambda leaf: rate, part)
    if not isinstance(part, dict):
        kind = "one array" if hasattr(part, "dtype") else f"a {type(part).__name__}"
        raise ValueError(
            f"{_at(name, path)} is a dict, but the parameters have {kind} there; give one rate for all of it"
        )
    _check_names(name, rate, part, path)
    return {key: _spread(name, rate[key], below, _below(path, key)) for key, below in part.items()}


def _check_names(name: str, rate: dict[str, Any], part: dict[str, Any], path: str) -> None:
    """Check that a dict of rates names just the parts that the parameters have."""
    missing = [_below(path, key) for key in part if key not in rate]
    extra = [_below(path, key) for key in rate if key not in part]
    if missing or extra:
        faults = [f"lacks {missing}"] * bool(missing) + [f"names {extra}, which they do not have"] * bool(extra)
        raise ValueError(
            f"{_at(name, path)} must have a rate for each part of the parameters, {list(part)}, but "
            f"{' and '.join(faults)}; a rate of 0 leaves a part as it is"
        )


def _at(name: str, path: str) -> str:
    return f"{name} of {path!r}" if path else name


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)

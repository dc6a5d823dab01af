"""Settings that may differ from update to update and from one part of the parameters to another: *rates*.

A rate is a number; or a *schedule*, a function of the number of updates made before this one; or a dict of rates by the
names of the parameters' parts, nested down to where one rate is for all that is below. The rates of one update are
*current rates*: all of them numbers, or all of them trees with a number for each parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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


class FrozenRates(Mapping[str, Rate]):
    """Rates by the names of the parameters' parts: it compares and prints as a dict, has a hash, and cannot change."""

    __slots__ = ("_rates",)

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = dict(rates)

    def __getitem__(self, key: str) -> Rate:
        return self._rates[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rates)

    def __len__(self) -> int:
        return len(self._rates)

    def __hash__(self) -> int:
        return hash(frozenset(self._rates.items()))

    def __repr__(self) -> str:
        return repr(self._rates)


def check_rate(name: str, rate: object, path: str = "", above: tuple[int, ...] = ()) -> Rate:
    """Return a rate as a value that cannot change: dicts are copied and frozen, and numbers become Python's."""
    if isinstance(rate, Mapping):
        if id(rate) in above:
            raise ValueError(f"{_at(name, path)} is a dict that contains itself; give a rate for each part by its name")
        parts = rate.items()
        return FrozenRates({key: check_rate(name, part, _below(path, key), (*above, id(rate))) for key, part in parts})
    if callable(rate):
        return frozen(rate)
    return check_not_negative(_at(name, path), rate, _HOLDS_NONE if getattr(rate, "shape", ()) else _KINDS)


def current_rates(step: int, params: Tree, **rates: Rate) -> Sequence[CurrentRate]:
    """Return the rates of the update after `step` updates: all of them numbers, or all of them trees."""
    now = [_at_step(name, rate, step) for name, rate in rates.items()]
    if dict not in map(type, now):
        return now
    return [_spread(name, rate, params) for name, rate in zip(rates, now, strict=True)]


def _at_step(name: str, rate: Any, step: int, path: str = "") -> object:
    """Return a rate with each schedule replaced by its value."""
    if type(rate) is float:
        return rate
    if isinstance(rate, Mapping):
        return {key: _at_step(name, part, step, _below(path, key)) for key, part in rate.items()}
    value = plain(rate(int(step)))
    place = f"{_at(name, path)}, by its schedule {rate!r:.80} at step {int(step)},"
    return check_not_negative(place, value, "a schedule takes the number of updates made before, and returns a number")


def _spread(name: str, rate: object, part: Tree, path: str = "") -> Tree:
    """Return a tree of a part's structure with the rate of each parameter at its leaves."""
    if not isinstance(rate, dict):
        return tree.map(lambda leaf: rate, part)
    if not isinstance(part, dict):
        kind = "one array" if hasattr(part, "dtype") else f"a {type(part).__name__}"
        raise ValueError(
            f"{_at(name, path)} is a dict, but the parameters have {kind} there; give one rate for all of it"
        )
    _check_names(name, rate, part, path)
    return {key: _spread(name, rate[key], below, _below(path, key)) for key, below in part.items()}


def _check_names(name: str, rate: dict[str, object], part: dict[str, object], path: str) -> None:
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

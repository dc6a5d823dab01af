"""Holding a tree that was read against one that was expected: keys, shapes and dtypes."""

from collections.abc import Iterator
from typing import Any

from npnets.checkpoint.faults import LONGEST_QUOTE, Fault, listed, quoted

_MOST_CANDIDATES = 200


def check_like(found: Any, expected: Any) -> None:
    """Check that a tree has the keys of another, and at its leaves the same shapes and dtypes.

    Raises
    ------
    TypeError
        If a network is given in the place of its parameters.
    Fault
        If they differ; all differences are named, up to a few of each kind.
    """
    if hasattr(expected, "forward"):
        raise TypeError(f"like takes parameters, not a network: like=network.init(rng) for {expected!r:.80}")
    came, wanted = dict(_walk(found, ())), dict(_walk(expected, ()))
    missing, extra = [place for place in wanted if place not in came], [place for place in came if place not in wanted]
    differing = [place for place in wanted if place in came and came[place] != wanted[place]]
    if missing or extra or differing:
        faults = [
            _listed("lacks", missing, lambda place: f"{_named(place)}{_nearest(place, extra)}"),
            _listed("has besides", extra, _named),
            _listed("differs at", differing, lambda p: f"{_named(p)}: expected {wanted[p]}, but it is {came[p]}"),
        ]
        raise Fault(
            f"its tree is not like the one expected: it {'; it '.join(fault for fault in faults if fault)}; was it "
            "saved for another network?"
        )


def _walk(tree: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Go through all leaves and containers of a tree, and tell of each what it is."""
    if isinstance(tree, dict):
        yield place, "a dict"
        for key, part in tree.items():
            yield from _walk(part, (*place, str(key)))
    elif isinstance(tree, (list, tuple)):
        yield place, f"a {type(tree).__name__}"
        for index, part in enumerate(tree):
            yield from _walk(part, (*place, str(index)))
    else:
        yield place, f"{tree.dtype} {tree.shape}" if hasattr(tree, "dtype") else f"a {type(tree).__name__}"


def _listed(what: str, places: list[Any], text: Any) -> str:
    return f"{what} {listed(places, text)}" if places else ""


def _nearest(place: tuple[str, ...], others: list[tuple[str, ...]]) -> str:
    import difflib  # here, because it would make up a part of the package's import

    candidates = [name for other in others[:_MOST_CANDIDATES] if len(name := ".".join(other)) <= LONGEST_QUOTE]
    name = ".".join(place)[: 2 * LONGEST_QUOTE]
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.8)
    return f" (is it {quoted(close[0])}?)" if close else ""


def _named(place: tuple[str, ...]) -> str:
    return quoted(".".join(place))

"""The counts of `counts.json`: comparison with new ones, and their replacement, for which a rise needs a reason.

`python_calls` has the counts with the NumPy kernels and with the compiled ones; `instructions` is a list, an entry for
each set of versions that the number of instructions depends on. A count is `{"count": 120}`, or, where it rose,
`{"count": 120, "before": 100, "reason": "..."}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.harness.record import in_few_lines

FILE = Path(__file__).with_name("counts.json")

MOST = 1.05
"""The largest ratio of a count to the held one."""

Held = dict[str, dict[str, Any]]
"""A count with its reason, by name of the call."""


class Unexplained(ValueError):
    """A count rose, and there is no reason for it."""


def read() -> dict[str, Any]:
    """Return the held counts."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def write(held: dict[str, Any]) -> None:
    """Replace the held counts."""
    FILE.write_text(in_few_lines(held), encoding="utf-8")


def entry(held: dict[str, Any], versions: dict[str, str]) -> Held | None:
    """Return the held numbers of instructions with these versions, if there are any."""
    return next((one["calls"] for one in held["instructions"] if one["versions"] == versions), None)


def differing(held: dict[str, Any], versions: dict[str, str]) -> str:
    """Return in words how these versions differ from those of the entry that is nearest to them."""
    found: list[list[str]] = [_differences(one["versions"], versions) for one in held["instructions"]]
    return "; ".join(sorted(found, key=len)[0]) if found else "any versions"


def _differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return [f"{name} {value} (held: {old.get(name)})" for name, value in new.items() if value != old.get(name)]


def risen(held: Held, counts: dict[str, int]) -> list[str]:
    """Return a line for every count that is too large, or that nothing is held for."""
    lines = []
    for name, count in counts.items():
        if name not in held:
            lines.append(f"{name}: {count:,}, and no count is held")
        elif count > MOST * held[name]["count"]:
            lines.append(
                f"{name}: {count:,} in place of {held[name]['count']:,} ({count / held[name]['count']:.2f} times)"
            )
    return lines


def fallen(held: Held, counts: dict[str, int]) -> list[str]:
    """Return the names of the counts that are so much lower that they should be held."""
    return [name for name, count in counts.items() if name in held and MOST * count < held[name]["count"]]


def updated(held: Held, counts: dict[str, int], reason: str) -> Held:
    """Return new held counts; one that rises gets the reason, and one that does not keeps its own.

    Raises
    ------
    Unexplained
        If a count rises and the reason is empty.
    """
    if not reason and (lines := [line for line in risen(held, counts) if "no count" not in line]):
        raise Unexplained("\n".join(lines))
    return {name: _updated(held.get(name), count, reason) for name, count in counts.items()}


def _updated(old: dict[str, Any] | None, count: int, reason: str) -> dict[str, Any]:
    if old is None or MOST * count < old["count"]:
        return {"count": count}
    if count > MOST * old["count"]:
        return {"count": count, "before": old["count"], "reason": reason}
    return old

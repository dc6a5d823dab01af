"""The tables of time ratios: forward passes, gradients and learning steps, and those of recurrent networks."""

from __future__ import annotations

from typing import Any

from benchmarks.publish.markup import Table
from benchmarks.publish.records import Records, Unpublishable

COLUMNS = (
    ("Tianshou, one thread", "1", "tianshou"),
    ("JAX, one thread", "1", "jax"),
    ("autograd", "1", "autograd"),
    ("floor", "1", "products"),
    ("Tianshou, two threads", "2", "tianshou"),
    ("JAX, two threads", "2", "jax"),
)
"""The heading, the number of threads and the side of each column."""

ABSENT = ""

NAMES = {
    "adam step": "a step of Adam",
    "td3 learn": "TD3's ``learn``",
    "sac learn": "SAC's ``learn``",
    "bcq learn": "BCQ's ``learn``",
    "td3 whole": "TD3's whole step",
    "sac whole": "SAC's whole step",
}
"""The row names of groups with one cell."""


def by_threads(records: Records) -> dict[str, Any]:
    """Return the results on one thread and on two, which must be different measurements."""
    threads: dict[str, Any] = records["speed"]["results"]["threads"]
    if threads["1"] == threads["2"]:
        raise Unpublishable("speed.json has the same results for one thread and for two; was one copied?")
    return threads


def speed(records: Records) -> Table:
    """Return the ratios of npnets' time to the others, a row for each kind and size."""
    threads = by_threads(records)
    rows = []
    for group in threads["1"]["groups"]:
        cells = [threads[number]["groups"][group].get(side) for _, number, side in COLUMNS]
        rows.append([NAMES.get(group, group), *(ABSENT if cell is None else f"{cell:.2f}" for cell in cells)])
    for (heading, *_), column in zip(COLUMNS, list(zip(*rows, strict=True))[1:], strict=True):
        if not any(column):
            raise Unpublishable(f"speed.json has no results for {heading}")
    return Table(["npnets' time divided by that of", *(heading for heading, _, _ in COLUMNS)], rows)


def recurrent(records: Records) -> Table:
    """Return the ratios of the recurrent actor's and critic's time to Tianshou's, a row for each size."""
    threads = by_threads(records)
    sizes = dict.fromkeys(cell["size"] for cell in threads["1"]["cells"] if "x" in cell["size"])
    columns = [(kind, number) for number in ("1", "2") for kind in ("forward", "gradient")]
    rows = [
        [size.replace("x", " x "), *(_pair(threads[n]["cells"], size, kind) for kind, n in columns)] for size in sizes
    ]
    names = {"1": "1 thread", "2": "2 threads"}
    return Table(["batch x steps", *(f"{kind}, {names[number]}" for kind, number in columns)], rows)


def _pair(cells: list[dict[str, Any]], size: str, kind: str) -> str:
    found = [cell for cell in cells if cell["size"] == size and cell["kind"] == kind]
    if not found:
        raise Unpublishable(f"speed.json has no recurrent {kind} of {size} on one number of threads")
    return ", ".join(f"{cell['npnets_over']['tianshou']['median']:.2f}" for cell in found)


def bars(records: Records) -> Table:
    """Return the limits for npnets' ratios, and the measured values on one thread and on two."""
    threads = by_threads(records)
    rows = []
    for one, two in zip(threads["1"]["bars"], threads["2"]["bars"], strict=True):
        rows.append([one["text"], f"{one['most']:g}", _checked(one), _checked(two)])
    return Table(["ratio", "limit", "one thread", "two threads"], rows)


def _checked(bar: dict[str, Any]) -> str:
    """Return the largest ratio, and the number of cells above the limit."""
    if bar["holds"]:
        return f"{bar['found']:.2f}"
    cells = f", above in {bar['broken']} of {bar['cells']}" if bar["cells"] > 1 and bar["worst"] else ""
    where = f" ({bar['worst']}{cells})" if bar["worst"] else ""
    return f"**{bar['found']:.2f}**{where}"

"""The tables of time ratios, one or more for each measured processor, and the sentences that hold on all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.cpu.bars import ratio
from benchmarks.cpu.cells import RECURRENT
from benchmarks.cpu.results import times_of
from benchmarks.harness.turns import Times
from benchmarks.publish.markup import Table
from benchmarks.publish.measured import NUMBERS, Measured, best, largest_group, largest_mean, measured
from benchmarks.publish.records import Records, Unpublishable, version

COLUMNS = (
    ("Tianshou, one thread", "1", "tianshou"),
    ("PyTorch, one thread", "1", "torch"),
    ("JAX, one thread", "1", "jax"),
    ("autograd", "1", "autograd"),
    ("floor", "1", "products"),
    ("Tianshou, two threads", "2", "tianshou"),
    ("PyTorch, two threads", "2", "torch"),
    ("JAX, two threads", "2", "jax"),
)
"""The heading, the number of threads and the side of each column; older results have no bare PyTorch."""

REPEATED = ("tianshou", "torch")
"""The sides whose columns are repeated for npnets with other kernels."""

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

ALGORITHMS = ("td3", "sac", "bcq")
LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}


def speed(records: Records) -> list[Table]:
    """Return the ratios of npnets' time to the others, a row for each kind and size, and a table for each kernels."""
    return [_groups(records, one) for one in measured(records)]


def _groups(records: Records, one: Measured) -> Table:
    shown = [column for column in COLUMNS if one.side == "npnets" or column[2] in REPEATED]
    groups = {number: one.over(number)["groups"] for number in NUMBERS}
    if all("torch" not in over for over in groups["1"].values()):
        shown = [column for column in shown if column[2] != "torch"]
    ratios = {name: [groups[number][name].get(side) for _, number, side in shown] for name in groups["1"]}
    rows = [[NAMES.get(name, name), *map(_number, found)] for name, found in ratios.items() if any(found)]
    for (heading, *_), column in zip(shown, zip(*ratios.values(), strict=True), strict=True):
        if not any(column):
            raise Unpublishable(f"{one.file}.json has no results for {heading}")
    return Table(["npnets' time divided by that of", *(heading for heading, *_ in shown)], rows, _above(records, one))


def _above(records: Records, one: Measured) -> str:
    record = records[one.file]
    versions = ", ".join(
        f"{title} {version(record, name)}" for name, title in LIBRARIES.items() if name in record["versions"]
    )
    rounds = f"{record['results']['rounds']} rounds of ``{record['command']}``, {versions}"
    return f"{_title(one)}{f' ({rounds})' if one.side == 'npnets' else ''}:"


def _title(one: Measured) -> str:
    return f"**{one.processor}, {one.kernels} kernels**"


def recurrent(records: Records) -> list[Table]:
    """Return the ratios of the recurrent actor's and critic's time to Tianshou's, a row for each size."""
    return [_sizes(one) for one in best(records)]


def _sizes(one: Measured) -> Table:
    times = {number: times_of(one.threads[number]) for number in NUMBERS}
    sizes = dict.fromkeys(cell.size for cell in times["1"] if cell.network in RECURRENT)
    columns = [(kind, number) for number in NUMBERS for kind in ("forward", "gradient")]
    rows = [
        [size.replace("x", " x "), *(_pair(one, times[number], size, kind) for kind, number in columns)]
        for size in sizes
    ]
    headings = (f"{kind}, {NUMBERS[number]}" for kind, number in columns)
    return Table(["batch x steps", *headings], rows, f"{_title(one)}:")


def _pair(one: Measured, times: Times, size: str, kind: str) -> str:
    cells = [cell for cell in times if (cell.size, cell.kind) == (size, kind)]
    if not cells:
        raise Unpublishable(f"{one.file}.json has no recurrent {kind} of {size} on one number of threads")
    return ", ".join(_number(ratio(times, cell, one.side, "tianshou")) for cell in cells)


def bars(records: Records) -> list[Table]:
    """Return the limits for npnets' ratios, and the measured values on one thread and on two, for compiled kernels."""
    return [_limits(one) for one in measured(records) if one.side != "npnets_numpy"]


def _limits(one: Measured) -> Table:
    pairs = zip(*(one.over(number)["bars"] for number in NUMBERS), strict=True)
    rows = [[on_one["text"], f"{on_one['most']:g}", _checked(on_one), _checked(on_two)] for on_one, on_two in pairs]
    return Table(["ratio", "limit", *NUMBERS.values()], rows, f"{_title(one)}:")


def _checked(bar: dict[str, Any]) -> str:
    """Return the largest ratio, and the number of cells above the limit."""
    if bar["holds"]:
        return f"{bar['found']:.2f}"
    cells = f", above in {bar['broken']} of {bar['cells']}" if bar["cells"] > 1 and bar["worst"] else ""
    where = f" ({bar['worst']}{cells})" if bar["worst"] else ""
    return f"**{bar['found']:.2f}**{where}"


def processors(records: Records) -> Table:
    """Return the means of npnets' ratios on every processor with each of its kernels, one thread and two."""
    rows = []
    for one in measured(records):
        means = [_both(one.mean(number, side) for number in NUMBERS) for side in REPEATED]
        learn = [_both(one.group(number, f"{name} learn") for number in NUMBERS) for name in ALGORITHMS]
        rows.append([one.processor, one.kernels, *means, *learn])
    learns = (f"learn of {name.upper()}, over Tianshou" for name in ALGORITHMS)
    header = ["processor", "kernels", "forwards and gradients, over Tianshou", "over bare PyTorch", *learns]
    return Table(header, rows, "npnets' time divided by that of others, on one thread and on two:")


def claims(records: Records) -> str:
    """Return the sentences about time that hold on all measured processors."""
    clauses = []
    for side, whose in (("tianshou", "Tianshou's time"), ("torch", "bare PyTorch's")):
        means = [largest_mean(records, number, side) for number in NUMBERS]
        if None not in means:
            clauses.append(f"{_number(means[0])} of {whose} on one thread and {_number(means[1])} on two")
    learn = {name: largest_group(records, "1", f"{name} learn") for name in ALGORITHMS}
    names = ", ".join(f"{ratio:.2f} for {name.upper()}" for name, ratio in learn.items())
    return (
        f"On every processor of the table, with the best kernels that it has and held to AVX2, the mean of npnets' "
        f"forward passes and gradients is at most {', and at most '.join(clauses)}. A learning step of 256 rows takes "
        f"at most these parts of Tianshou's time on one thread: {names}."
    )


def _both(ratios: Iterable[float | None]) -> str:
    return ", ".join(map(_number, ratios)).strip(", ")


def _number(ratio: float | None) -> str:
    return ABSENT if ratio is None else f"{ratio:.2f}"

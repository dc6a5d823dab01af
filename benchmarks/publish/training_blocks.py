"""The tables of the whole training step, one for each measured processor."""

from __future__ import annotations

from typing import Any

from benchmarks.publish.markup import Table, plus_minus
from benchmarks.publish.measured import KERNELS
from benchmarks.publish.records import Record, Records
from benchmarks.training.sides import PACKAGES, SIDES

NAME = "training"


def steps(records: Records) -> list[Table]:
    """Return the milliseconds of a step of every side, npnets' time divided by it, and the returns after training."""
    return [_table(record) for record in records.processors(NAME).values()]


def _table(record: Record) -> Table:
    results = record["results"]
    names = [name.upper() for name in results["algorithms"]]
    over = (f"{KERNELS[kernels]} kernels over it: {', '.join(names)}" for kernels in results["kernels"].values())
    header = ["", *(f"{name}, ms" for name in names), *over, *(f"return, {name}" for name in names)]
    sides = next(iter(results["algorithms"].values()))["milliseconds"]
    return Table(header, [_row(side, results) for side in sides], _above(record))


def _row(side: str, results: dict[str, Any]) -> list[str]:
    found = list(results["algorithms"].values())
    times = (f"{one['milliseconds'][side]['median']:.2f}" for one in found)
    ratios = (_ratios(ours, side, found) for ours in results["kernels"])
    returns = (plus_minus(one["returns"][side]["trained"]) for one in found)
    return [_name(side, results), *times, *ratios, *returns]


def _ratios(ours: str, side: str, found: list[dict[str, Any]]) -> str:
    """Return the ratios of npnets' time to that of a rival with each algorithm."""
    ratios = (one["over"][ours].get(side) for one in found)
    return ", ".join(f"{ratio['median']:.2f}" for ratio in ratios if ratio)


def _name(side: str, results: dict[str, Any]) -> str:
    if side in results["kernels"]:
        return f"npnets, {KERNELS[results['kernels'][side]]} kernels"
    return f"{SIDES[side].name} {results['libraries'][PACKAGES[side][0]]}"


def _above(record: Record) -> str:
    machine, results = record["machine"], record["results"]
    rounds = f"{results['rounds']} rounds of {results['steps']} steps, ``{record['command']}``"
    return f"**{machine['processor']}, with {machine['instructions']}** ({rounds}):"

"""The tables of exported C, one for each measured processor, with what a policy takes on a Cortex-M4."""

from __future__ import annotations

from typing import Any

from benchmarks.publish.markup import Table
from benchmarks.publish.records import Record, Records

NAME = "export"
THERE = "-O2"
"""The level of the compiler for the Cortex-M4."""


def exported_c(records: Records) -> list[Table]:
    """Return the times of an action, and what a policy takes on a Cortex-M4."""
    return [_table(record) for record in records.processors(NAME).values()]


def _table(record: Record) -> Table:
    policies = record["results"]["policies"]
    compilers = [name for name in next(iter(policies.values()))["microseconds"] if name != "npnets"]
    header = ["", "parameters", "npnets, from Python", *(f"C, ``{name}``" for name in compilers)]
    header += ["flash, beside 4 bytes a parameter", "stack", "instructions"]
    return Table(header, [_row(name, one, compilers) for name, one in policies.items()], _above(record))


def _row(name: str, one: dict[str, Any], compilers: list[str]) -> list[str]:
    times = [f"{one['microseconds']['npnets']:.0f} us", *(f"{one['microseconds'][name]:.2f} us" for name in compilers)]
    beside = one["flash"][THERE] - 4 * one["parameters"]
    there = [f"{beside} bytes", f"{one['stack'][THERE]} bytes", f"{one['instructions'][THERE]:,}"]
    return [name, f"{one['parameters']:,}", *times, *there]


def _above(record: Record) -> str:
    machine = record["machine"]
    return f"**{machine['processor']}, with {machine['instructions']}**, and a Cortex-M4 (``{record['command']}``):"

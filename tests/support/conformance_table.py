"""Write the tables of `docs/conformance.rst`: the number of cases of each class and argument, and their errors.

Run it from the root of the repository, where npnets is installed:

    python tests/support/conformance_table.py           # as it is on this processor
    python tests/support/conformance_table.py --keep    # keeps figures of the page that are larger

A figure is the largest relative error of any case, rounded up to one digit. Rounding of sums depends on the processor,
so that the page shows the largest error seen on several.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from case_coverage import CONDITIONS, constructor_arguments, given, network_of
from golden.npnets_side import CASES, CLASSES, gradients, inputs_of, parameters, relative_error, run

import npnets

Row = dict[str, str]

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLES = {"conformance_classes": ("class",), "conformance_arguments": ("class", "argument")}
"""The files, and which columns name a row."""

FIGURES = ("outputs", "gradients")
LEAST = 1e-7
"""Figures below the last bit of float32 have no meaning."""

NONE = "–"


def main() -> None:
    """Write the files that the page shows."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/conformance.rst.")
    parser.add_argument("--keep", action="store_true", help="keep figures of the page that are larger")
    keep = parser.parse_args().keep
    for name, rows in tables().items():
        if keep:
            rows = [_larger(row, before) for row, before in zip(rows, _same_rows(name, rows), strict=True)]
        with (DOCS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def read(name: str) -> list[Row]:
    """Return the rows of a table of the page."""
    with (DOCS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables() -> dict[str, list[Row]]:
    """Return the tables as they are now."""
    errors = {case["name"]: errors_of(case) for case in CASES}
    return {"conformance_classes": _classes(errors), "conformance_arguments": _arguments(errors)}


def errors_of(case: dict[str, Any]) -> tuple[float, float]:
    """Return the largest relative error of a case's outputs, and of its gradients."""
    outputs = zip(run(case, parameters(case), inputs_of(case)), case["outputs"], strict=True)
    pairs = [
        (found[name], expected[name])
        for found, expected in zip(gradients(case), (case["params_grads"], case["inputs_grads"]), strict=True)
        for name in expected
    ]
    return max(relative_error(*pair) for pair in outputs), max([0.0, *(relative_error(*pair) for pair in pairs)])


def rounded_up(error: float) -> str:
    """Write an error with one digit, never below itself: 1.2e-6 is 2e-6."""
    error = max(error, LEAST)
    power = math.floor(math.log10(error))
    digit = math.ceil(round(error / 10.0**power, 6))
    return f"{digit}e{power}" if digit < 10 else f"1e{power + 1}"


def written(network: str) -> str:
    """Write the name that the page has for a class of the cases."""
    kind = CLASSES[network]
    return f"`{kind.__name__}`" if getattr(npnets, kind.__name__, None) is kind else f"`discrete.{kind.__name__}`"


def _classes(errors: dict[str, tuple[float, float]]) -> list[Row]:
    rows = []
    for network in CLASSES:
        cases = [case for case in CASES if network_of(case) == network]
        conditions = {
            name: str(sum(map(holds, cases))) if network in classes else NONE
            for name, (holds, classes) in CONDITIONS.items()
        }
        rows.append({"class": written(network), "cases": str(len(cases)), **conditions, **_figures(cases, errors)})
    return rows


def _arguments(errors: dict[str, tuple[float, float]]) -> list[Row]:
    rows = []
    for network in CLASSES:
        for argument in constructor_arguments(network):
            found = {case["name"]: _values(case, network, argument.name) for case in CASES}
            cases = [case for case in CASES if found[case["name"]]]
            row = {"class": written(network), "argument": f"`{argument.name}`"}
            counts = {"values": str(len(set().union(*found.values()))), "cases": str(len(cases))}
            rows.append({**row, **counts, **_figures(cases, errors)})
    return rows


def _values(case: dict[str, Any], network: str, argument: str) -> set[str]:
    return {repr(value) for *key, value in given(case["call"]) if key == [network, argument]}


def _figures(cases: Iterable[dict[str, Any]], errors: dict[str, tuple[float, float]]) -> Row:
    of_cases = list(zip(*(errors[case["name"]] for case in cases), strict=True)) or [(), ()]
    return {name: rounded_up(max(found)) if found else NONE for name, found in zip(FIGURES, of_cases, strict=True)}


def _same_rows(name: str, rows: list[Row]) -> list[Row]:
    """Return the rows of the page for these rows, or the rows themselves if the page does not have them."""
    keys = TABLES[name]
    before = {tuple(row[key] for key in keys): row for row in read(name)}
    return [before.get(tuple(row[key] for key in keys), row) for row in rows]


def _larger(row: Row, before: Row) -> Row:
    known = [name for name in FIGURES if NONE not in (row[name], before[name])]
    return {**row, **{name: max(row[name], before[name], key=float) for name in known}}


if __name__ == "__main__":
    main()

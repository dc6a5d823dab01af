"""The result file of a benchmark: `NAME.json` with its results and their provenance.

The provenance is the command, the date, the machine, its load at the start, and the versions of the libraries.
`benchmarks/README.md` describes the results of each command.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import npnets
from benchmarks.harness.processor import instructions
from examples.shared.results_folder import prepare_folder, write
from npnets.training.provenance import command, system

FOLDER = Path("runs/benchmarks")
"""The default folder of result files."""

RIVALS = ("torch", "tianshou", "jax", "gymnasium", "ray")
"""Packages whose versions are recorded if installed, in addition to npnets' dependencies."""


class Record:
    """A result file; every `write` replaces it atomically.

    Parameters
    ----------
    name : str
        Name of the file, without its suffix.
    out : Path
        The folder, which is created if it does not exist.
    """

    def __init__(self, name: str, out: Path) -> None:
        prepare_folder(out)
        self.file = out / f"{name}.json"
        self.header = header()

    def write(self, results: Mapping[str, Any]) -> None:
        """Write the results, and replace earlier ones."""
        text = in_few_lines({**self.header, "results": results})
        write(self.file, lambda path: path.write_text(text, encoding="utf-8"))


def header() -> dict[str, Any]:
    """Return the provenance for a result file."""
    facts = npnets.about()
    stack = {name: facts[name] for name in ("python", "npnets", "numpy", "blas", "scipy", "autograd", "cupy")}
    rivals = {name: version(name) for name in RIVALS if find_spec(name)}
    machine = {
        "processor": facts["processor"],
        "instructions": instructions(),
        "kernels": facts["compiled"],
        "cores": facts["cores"],
        "gpus": ", ".join(facts["gpus"]),
    }
    return {
        "command": command(sys.argv),
        "date": date.today().isoformat(),
        "machine": {**_without_gaps(machine), "system": system()},
        "versions": _without_gaps({**stack, **rivals}),
        "load": round(os.getloadavg()[1], 1),
    }


def _without_gaps(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value}


def read(name: str, out: Path) -> dict[str, Any]:
    """Return a result file; exit with a one-line error if it does not exist."""
    file = out / f"{name}.json"
    if not file.exists():
        sys.exit(f"error: there is no {file} to show again; run without --again first, or choose --out")
    return json.loads(file.read_text(encoding="utf-8"))


def save_figure(figure: Any, file: Path) -> None:
    """Write a Matplotlib figure to a file."""
    write(file, lambda path: figure.savefig(path, format=file.suffix[1:]))


def measure_and_show(
    name: str,
    options: argparse.Namespace,
    measure: Callable[[Record, argparse.Namespace], None],
    show: Callable[[dict[str, Any], argparse.Namespace], None],
) -> None:
    """Measure and write a result file, unless `options.again` is set, and show its content."""
    if not options.again:
        with explained(options.out):
            measure(Record(name, options.out), options)
    found = read(name, options.out)
    facts = {"command": found["command"], "date": found["date"], **found["machine"], **found["versions"]}
    print(*(f"{fact}: {value}" for fact, value in facts.items()), "", sep="\n", flush=True)
    show(found["results"], options)


@contextmanager
def explained(out: Path) -> Iterator[None]:
    """Turn Ctrl-C and errors in writing files into one-line messages that name a remedy."""
    try:
        yield
    except OSError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print(f"\ninterrupted; --again shows the results in {out}", file=sys.stderr)
        sys.exit(130)


def in_few_lines(value: Any) -> str:
    """Return JSON in which every innermost list or object is one line."""
    text = json.dumps(value, indent=1, allow_nan=False)
    return re.sub(r"[\[{]\n[^\[\]{}]*[\]}]", lambda found: re.sub(r"\n\s*", " ", found[0]), text) + "\n"

"""Result files, `docs/results/NAME.json`: the command that wrote each, its machine, versions and results."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import ROOT

RESULTS = ROOT / "docs" / "results"

Record = dict[str, Any]

HEADER = {"command": str, "date": str, "machine": dict, "versions": dict, "results": dict}
"""The keys of a result file, and the types of their values."""

SHORTENED = ("--quick", "--only")
"""Options of short runs, whose results must not be published."""


class Unpublishable(ValueError):
    """An error in a page or a result file that prevents publishing; the message names the file and the reason."""


class Facts(dict[str, Any]):
    """A JSON object whose error for a missing key names its file."""

    file: Path

    def __missing__(self, key: str) -> NoReturn:
        raise Unpublishable(f"{self.file.name} has no {key!r} beside {', '.join(map(repr, self)) or 'nothing'}")


class Records:
    """The result files of a folder, each read once, by name.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path = RESULTS) -> None:
        self.folder = folder
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Record:
        """Return the content of a result file."""
        self.used.add(name)
        return _read(self.folder / f"{name}.json")

    def seeds(self, name: str) -> list[Record]:
        """Return the results of one command with several seeds, `NAME-seed-0.json` and so on, in their order."""
        found = stems_of_seeds(name, self.folder)
        if not found:
            raise FileNotFoundError(f"expected {self.folder / name}-seed-0.json and more, but there is none")
        return [self[stem] for stem in found]

    def processors(self, name: str) -> dict[str, Record]:
        """Return the results of one command on several processors, `NAME-PROCESSOR.json`, by name of the file."""
        stems = sorted(path.stem for path in self.folder.glob(f"{name}-*.json"))
        if not stems:
            raise FileNotFoundError(f"expected {self.folder / name}-PROCESSOR.json, but there is none")
        return {stem: self[stem] for stem in stems}

    def unused(self) -> list[str]:
        """Return the result files that no page uses."""
        return sorted({path.stem for path in self.folder.glob("*.json")} - self.used)


def stems_of_seeds(name: str, folder: Path = RESULTS) -> list[str]:
    """Return the names of the result files of one command with several seeds, in the order of the seeds."""
    return sorted((path.stem for path in folder.glob(f"{name}-seed-*.json")), key=seed_of)


def seed_of(stem: str) -> int:
    """Return the seed in the name of a result file."""
    seed = stem.rpartition("-")[2]
    if not seed.isdecimal():
        raise Unpublishable(f"expected a number after 'seed-' in the name of {stem}.json")
    return int(seed)


@contextmanager
def published_from(records: Records, where: str) -> Iterator[Records]:
    """Yield records, and add the page and the result files to errors."""
    part = Records(records.folder)
    try:
        yield part
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        if isinstance(error, (OSError, Unpublishable)):  # its message names the file
            raise Unpublishable(f"{where}: {error}") from error
        why = f"there is no {error}" if isinstance(error, KeyError) else error
        files = ", ".join(f"{name}.json" for name in sorted(part.used)) or "no result file"
        raise Unpublishable(f"{where}, from {files}: {why}") from error
    records.used |= part.used


@functools.cache
def _read(path: Path) -> Record:
    try:
        record = read_json(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"expected the result file {path}; benchmarks/README.md has the command that writes it"
        ) from None
    missing = [name for name in HEADER if not record.get(name)]
    if missing:
        raise Unpublishable(f"expected {', '.join(HEADER)} in {path}, but there is no {' and no '.join(missing)}")
    if faults := _faults(record):
        raise Unpublishable(f"expected a result file to publish in {path}, but {faults[0]}")
    return record


def _faults(record: Record) -> list[str]:
    """Return the reasons why a result file with all keys must not be published."""
    wrong = [f"{name!r} is no {kind.__name__}" for name, kind in HEADER.items() if not isinstance(record[name], kind)]
    if wrong:
        return wrong
    options = {word.partition("=")[0] for word in shlex.split(record["command"])}
    nameless = [] if record["machine"].get("processor") else ["its machine has no processor name"]
    return nameless + [f"{name} in its command is for a short run" for name in SHORTENED if name in options]


def read_json(path: Path) -> Record:
    """Return the JSON object of a file."""

    def facts(found: dict[str, Any]) -> Facts:
        named = Facts(found)
        named.file = path
        return named

    def refuse(constant: str) -> NoReturn:
        raise Unpublishable(f"expected finite numbers in {path}, but there is {constant}")

    try:
        record = json.loads(path.read_text(encoding="utf-8"), object_hook=facts, parse_constant=refuse)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unpublishable(f"expected JSON in {path}, but {error}; was it merged by hand?") from None
    if not isinstance(record, dict):
        raise Unpublishable(f"expected an object of JSON in {path}, but it is {json.dumps(record)[:40]}")
    return record


def version(record: Record, package: str) -> str:
    """Return the version of a package in a result file, without its build name."""
    return str(record["versions"][package]).partition("+")[0]


def processor(*records: Record) -> str:
    """Return the processor of results, as in "an AMD EPYC"; different processors are an error."""
    names = {record["machine"]["processor"] for record in records}
    if len(names) != 1:
        raise ValueError(f"expected results of one processor, but found {sorted(names)}; measure them together")
    name = str(names.pop())
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"

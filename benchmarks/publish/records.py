"""Result files, `docs/results/NAME.json`: the command that wrote each, its machine, versions and results."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"

Record = dict[str, Any]

HEADER = ("command", "date", "machine", "versions", "results")


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
        self.used.add(name)
        return _read(self.folder / f"{name}.json")

    def seeds(self, name: str) -> list[Record]:
        """Return the results of one command with several seeds, `NAME-seed-0.json` and so on, in their order."""
        files = self.folder.glob(f"{name}-seed-*.json")
        found = sorted((path.stem for path in files), key=lambda stem: int(stem.rsplit("-", 1)[1]))
        if not found:
            raise FileNotFoundError(f"expected {self.folder / name}-seed-0.json and more, but there is none")
        return [self[stem] for stem in found]

    def unused(self) -> list[str]:
        """Return the result files that nothing published comes from."""
        return sorted({path.stem for path in self.folder.glob("*.json")} - self.used)


@functools.cache
def _read(path: Path) -> Record:
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"expected the result file {path}; benchmarks/README.md says who writes it") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON in {path}, but {error}; was it merged by hand?") from None
    missing = [name for name in HEADER if name not in record]
    if missing:
        raise ValueError(f"expected {', '.join(HEADER)} in {path}, but there is no {' and no '.join(missing)}")
    return record


def processor(*records: Record) -> str:
    """Return the processor that results were measured on, as in "an AMD EPYC"; several are an error."""
    names = {record["machine"]["processor"] for record in records}
    if len(names) != 1:
        raise ValueError(f"expected results of one processor, but they are of {sorted(names)}; measure them together")
    name = str(names.pop())
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"

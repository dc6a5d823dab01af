"""The published figures, each in a light and a dark version, drawn only from result files.

`docs/figures/digests.json` has the digests of each figure and of its result file, so that an outdated or manually
changed figure is found without drawing it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.publish.records import RESULTS, Records, Unpublishable, published_from, read_json
from examples.shared.results_folder import write

FIGURES = ROOT / "docs" / "figures"
DIGESTS = "digests.json"
"""The name of this file, in the folder of the figures."""
SHADES = {"light": False, "dark": True}

SOURCES = {
    "offline_bcq": "offline_bcq-seed-0",
    "sac": "sac-seed-0",
    "quantile_dqn": "quantile_dqn_acrobot-seed-0",
    "memory_pendulum": "memory_pendulum-seed-0",
    "evolution_strategies": "evolution_strategies_cheetah-seed-0",
    "learning_side_by_side": "learning_side_by_side",
    "parallel": "parallel",
    "search_settings": "search_settings",
}
"""The result file of each figure."""

Draw = Callable[[dict[str, Any], Path, bool], None]


def draw_outdated(folder: Path = FIGURES) -> list[Path]:
    """Draw every outdated figure; return the paths."""
    drawn = outdated(folder)
    folder.mkdir(exist_ok=True)
    for path in drawn:
        _draw(path)
    _write_digests(folder)
    return drawn


def _draw(path: Path) -> None:
    name, _, shade = path.stem.rpartition("-")
    with published_from(Records(RESULTS), f"the figure {path}") as records:
        draw, results = _drawer(name), records[SOURCES[name]]["results"]
        write(path, lambda unfinished: draw(results, unfinished, SHADES[shade]))


def outdated(folder: Path = FIGURES) -> list[Path]:
    """Return the figures that are missing, changed, or older than their result files."""
    written = _written(folder)
    return [path for path in _paths(folder) if not path.exists() or written.get(path.name) != _digests(path)]


def strays(folder: Path = FIGURES) -> list[Path]:
    """Return the files in the folder of the figures that no code draws."""
    known = {path.name for path in _paths(folder)} | {DIGESTS}
    return sorted(path for path in folder.glob("*") if path.name not in known)


def _written(folder: Path) -> dict[str, Any]:
    file = folder / DIGESTS
    try:
        written = read_json(file) if file.exists() else {}
    except Unpublishable as error:
        raise Unpublishable(f"{error}; delete it to draw every figure again") from None
    if unknown := sorted(written.keys() - {path.name for path in _paths(folder)}):
        raise Unpublishable(f"expected digests of published figures in {file}, but found {', '.join(unknown)}")
    return written


def _drawer(name: str) -> Draw:
    """Return the function that draws a figure; Matplotlib is imported only here."""
    if name == "learning_side_by_side":
        from benchmarks.learning.picture import draw
    elif name == "search_settings":
        from examples.parallel.trials_picture import draw
    elif name == "parallel":
        from benchmarks.parallel.picture import draw
    else:
        from examples.shared.picture import draw
    return draw


def _write_digests(folder: Path) -> None:
    text = json.dumps({path.name: _digests(path) for path in _paths(folder)}, indent=1)
    write(folder / DIGESTS, lambda unfinished: unfinished.write_text(text + "\n", encoding="utf-8"))


def _paths(folder: Path) -> list[Path]:
    return [folder / f"{name}-{shade}.png" for name in SOURCES for shade in SHADES]


def _source(name: str) -> Path:
    return RESULTS / f"{SOURCES[name]}.json"


def _digests(path: Path) -> dict[str, str]:
    """Return the digests of a figure and of its result file."""
    source = _source(path.stem.rpartition("-")[0])
    return {"picture": _digest(path), "results": _digest(source)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

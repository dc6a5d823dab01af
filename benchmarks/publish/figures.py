"""The published figures, each in a light and a dark version, drawn only from result files.

`docs/figures/digests.json` has the digests of each figure and of its result files, so that an outdated or manually
changed figure is found without drawing it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.publish.learning_blocks import DISCRETE
from benchmarks.publish.mujoco_blocks import MUJOCO
from benchmarks.publish.records import RESULTS, Records, Unpublishable, published_from, read_json, stems_of_seeds
from examples.shared.results_folder import write

FIGURES = ROOT / "docs" / "figures"
DIGESTS = "digests.json"
"""The name of this file, in the folder of the figures."""
SHADES = {"light": False, "dark": True}

SOURCES = {
    "offline_bcq": ("offline_bcq-seed-0",),
    "sac": tuple(f"sac-seed-{seed}" for seed in range(3)),
    "mujoco": tuple(stem for name in MUJOCO for stem in stems_of_seeds(name)),
    "discrete_actions": tuple(f"{name}-seed-{seed}" for name in DISCRETE for seed in range(3)),
    "memory_pendulum": ("memory_pendulum-seed-0",),
    "evolution_strategies": ("evolution_strategies_cheetah-seed-0",),
    "learning_side_by_side": ("learning_side_by_side",),
    "parallel": ("parallel",),
    "search_settings": ("search_settings",),
}
"""The result files of each figure."""

Draw = Callable[[Any, Path, bool], None]


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
        draw, results = _drawer(name), [records[source]["results"] for source in SOURCES[name]]
        drawn = results if len(results) > 1 else results[0]
        write(path, lambda unfinished: draw(drawn, unfinished, SHADES[shade]))


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
    if name in ("discrete_actions", "mujoco", "sac"):
        from benchmarks.learning import environments_picture

        return environments_picture.draw
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


def _digests(path: Path) -> dict[str, str]:
    """Return the digests of a figure and of its result files."""
    sources = [RESULTS / f"{source}.json" for source in SOURCES[path.stem.rpartition("-")[0]]]
    return {"picture": _digest(path), "results": _digest(*sources)}


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()

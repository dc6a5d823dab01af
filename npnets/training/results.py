"""The results of a finished run: `results.json` with where they come from, `learning.png`, and a line of text."""

import dataclasses
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from npnets.files.atomic_write import replace_text
from npnets.training.folder import begun_by
from npnets.training.learning_curve import draw
from npnets.training.provenance import provenance
from npnets.training.run import Run

RESULTS = "results.json"


def write_results(run: Run, name: str) -> None:
    """Write the results of a run, whose policy is called `name`, unless they are there; print its last return.

    Raises
    ------
    ValueError
        If the policy was never evaluated.
    """
    settings, rows, folder = run.settings, run.rows, run.folder
    if not rows:
        raise ValueError(f"the run in {folder} has no evaluation: train() must call run.record() after the last step")
    last = rows[-1]
    error = last["return_std"] / math.sqrt(settings.episodes)
    results: dict[str, Any] = {
        "title": f"{name} on {settings.env}",
        "seed": settings.seed,
        "steps": int(last["steps"]),
        "seconds": run.seconds,
        "checkpoint_seconds": run.checkpoint_seconds,
        "settings": dataclasses.asdict(settings),
        "returns": {name: {"mean": last["return"], "standard_error": error}},
        "progress": rows,
    }
    if not _is_written(folder / RESULTS, results):
        found = {**provenance(), "command": begun_by(folder), "results": results}
        text = json.dumps(finite(found), indent=1, allow_nan=False) + "\n"
        replace_text(folder / RESULTS, text)
    draw(folder / "learning.png", rows, results["title"])
    _say(f"{results['title']}: {last['return']:.1f} ± {error:.1f} after {last['steps']:,.0f} steps, in {folder}")


def _is_written(path: Path, results: Mapping[str, Any]) -> bool:
    """Return whether a file has the results of these evaluations, beside the machine that the run had."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["results"]
        return all(found[name] == finite(results[name]) for name in ("returns", "progress"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _say(text: str) -> None:
    """Print a text, whichever letters the terminal knows."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


def finite(value: Any) -> Any:
    """Return a value of JSON, with None for every number that is not finite."""
    if isinstance(value, Mapping):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

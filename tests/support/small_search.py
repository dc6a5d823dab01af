"""Searches of no use, which take no time: their trainings, as functions that other processes can import."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.parallel.shared_study import Report, Search

SPACE: dict[str, tuple[float, float]] = {"rate": (1e-3, 1.0), "width": (4, 64)}


def search(folder: Path, lost_after: int = 30, train: Callable[..., float] | None = None, **statement: Any) -> Search:
    """Return a search in a folder; by default each training writes a line to `log` there."""
    folder.mkdir(exist_ok=True)
    logged = functools.partial(train_and_log, folder=folder)
    return Search(folder, SPACE, train or logged, {"seed": 0, **statement}, lost_after)


def value(settings: dict[str, Any]) -> float:
    """Return the value of a training, which is largest for large settings."""
    return float(settings["rate"] * settings["width"])


def train_and_log(settings: dict[str, Any], seed: int, report: Report, *, folder: Path, seconds: float = 0.0) -> float:
    """Append process, seed and settings to a file, then take some time."""
    line = json.dumps({"process": os.getpid(), "seed": seed, "settings": settings})
    with open(folder / "log", "a") as file:
        file.write(line + "\n")
    time.sleep(seconds)
    return value(settings)


def log_of(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of all trainings."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]

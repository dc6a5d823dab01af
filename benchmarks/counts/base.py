"""The instructions of another commit, counted in this environment: a comparison that needs no held counts.

The commit is checked out into a temporary folder, its extension module is built there, and its own program runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.counts import held, measure
from benchmarks.counts.held import Held


def instructions(commit: str) -> tuple[Held, set[tuple[str, str]]]:
    """Return the instructions of every call in a commit, and the reasons of its held counts."""
    with checkout(commit) as folder:
        file = folder / held.FILE.relative_to(ROOT)
        if not file.exists():
            return {}, set()
        build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        _run(build, folder, {**os.environ, "NPNETS_REQUIRE_COMPILED": "1"})
        counts = measure.instructions("avx2", folder)
        return {name: {"count": count} for name, count in counts.items()}, reasons(json.loads(file.read_text("utf-8")))


def reasons(there: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the name of every call that has a reason, with it."""
    entries = [*there["python_calls"].values(), *(one["calls"] for one in there["instructions"])]
    return {(name, count["reason"]) for calls in entries for name, count in calls.items() if "reason" in count}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield a temporary folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "base"
        _run(["git", "worktree", "add", "--detach", "--quiet", str(folder), commit], ROOT)
        try:
            yield folder
        finally:
            _run(["git", "worktree", "remove", "--force", str(folder)], ROOT)


def _run(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=variables)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stderr[-2000:]}")

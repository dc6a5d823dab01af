"""How a file of results came about: the command, the date, the machine and the versions of the libraries."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import npnets

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("numpy", "autograd", "scipy", "gymnasium")
CPU_FACTS = Path("/proc/cpuinfo")


def provenance(libraries: Iterable[str] = ()) -> dict[str, Any]:
    """Return the command that runs, the date, the machine, and the versions of the libraries that results depend on.

    Parameters
    ----------
    libraries : iterable of str
        More packages than those that every example uses; one that is not installed is left out.
    """
    return {
        "command": command(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": versions(libraries),
    }


def command() -> str:
    """Return the command that started this process, to be run from the root of the checkout.

    Without `--out` and the folder behind it, which change nothing of what is found.
    """
    program, options = Path(sys.argv[0]).resolve(), sys.argv[1:]
    if program.is_relative_to(ROOT):
        program = program.relative_to(ROOT)
    if "--out" in options:
        at = options.index("--out")
        del options[at : at + 2]
    return shlex.join(["python", program.as_posix(), *options])


def versions(libraries: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python, of npnets, and of the packages that are installed among these."""
    found = {"python": platform.python_version(), "npnets": npnets.__version__}
    for library in (*LIBRARIES, *libraries):
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return the name of the processor: on Linux its full one, elsewhere the one that Python knows."""
    lines = CPU_FACTS.read_text().splitlines() if CPU_FACTS.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())

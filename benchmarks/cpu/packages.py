"""The disk space of a library's packages: its own, and all their dependencies."""

from __future__ import annotations

import configparser
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import ROOT

INSTALLED = {"tianshou": ("torch", "tianshou"), "jax": ("jax",), "autograd": ("autograd",)}
"""The packages of each library except npnets, without their dependencies."""


def megabytes(library: str) -> dict[str, float]:
    """Return the size of every package that a library needs, by name, the largest first.

    Sizes are those of the unpacked files, without bytecode.
    """
    found = {name: _size(name) for name in closure(INSTALLED.get(library) or required_by_npnets())}
    if library == "npnets":  # which is not an installed package in a checkout
        found["npnets"] = _total([path for path in (ROOT / "npnets").rglob("*") if path.is_file()])
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def required_by_npnets() -> list[str]:
    """Return the names of the packages that npnets requires."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = settings["options"]["install_requires"].splitlines()
    return [Requirement(line).name for line in lines if line]


def closure(names: Sequence[str]) -> set[str]:
    """Return the installed packages among these and their dependencies on this platform, without extras.

    Dependencies that are not installed are omitted: Tianshou 1.0.0 is installed without some that it does not need.
    """
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = canonicalize_name(pending.pop())
        if name in found or not _installed(name):
            continue
        found.add(name)
        required = map(Requirement, importlib.metadata.requires(name) or ())
        pending += [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _size(name: str) -> float:
    files = importlib.metadata.files(name) or ()
    return _total([Path(str(file.locate())) for file in files])


def _total(files: Sequence[Path]) -> float:
    sizes = (file.stat().st_size for file in files if file.suffix != ".pyc" and file.exists())
    return round(sum(sizes) / 1e6, 2)

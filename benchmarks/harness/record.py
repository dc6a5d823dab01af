"""The result file of a measuring command: `NAME.json` with its results as plain numbers, and what they depend on.

That is the command, the date, the machine, its load at the start, and the versions of all that is measured.
`benchmarks/README.md` says what the results of each command hold.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path("runs/benchmarks")
"""Where result files are written by default."""

PACKAGES = (
    "numpy",
    "scipy",
    "autograd",
    "torch",
    "tianshou",
    "jax",
    "gymnasium",
    "numba",
    "cupy-cuda12x",
    "cupy-cuda13x",
)
"""Whose versions are recorded where they are installed, beside Python's and npnets'."""


class Record:
    """A result file that is whole whenever it exists: every `write` replaces it at once.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    out : Path
        The folder, which is made if there is none.
    """

    def __init__(self, name: str, out: Path) -> None:
        make_ready(out)
        self.file = out / f"{name}.json"
        self.header = header()

    def write(self, results: Mapping[str, Any], **more: Any) -> None:
        """Write the results, and what else belongs into the header."""
        text = in_few_lines({**self.header, **more, "results": results})
        replace(self.file, text.encode())


def header() -> dict[str, Any]:
    """Return what every result file says beside its results."""
    return {
        "command": command(),
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "load": round(os.getloadavg()[1], 1),
    }


def command() -> str:
    """Return the command line that runs, as a reader would type it in the root of the checkout."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = ["-m", spec.name] if spec else [sys.argv[0]]
    return shlex.join(["python", *program, *sys.argv[1:]])


def machine() -> dict[str, Any]:
    """Return the processor, how many of its cores this process may use, and the operating system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": _processor(), "cores": cores, "system": f"{platform.system()} {platform.machine()}"}


def versions() -> dict[str, str]:
    """Return the versions of Python, npnets, the library that NumPy multiplies with, and what there is of `PACKAGES`."""
    import numpy

    import npnets

    blas = numpy.show_config("dicts")["Build Dependencies"]["blas"]
    found = {"python": platform.python_version(), "npnets": npnets.__version__}
    found["blas"] = f"{blas['name']} {blas['version']}"
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def read(name: str, out: Path) -> dict[str, Any]:
    """Return what `Record` wrote; end with a clear line if there is no such file."""
    file = out / f"{name}.json"
    if not file.exists():
        sys.exit(f"error: there is no {file} to show again; run without --again first, or choose --out")
    return json.loads(file.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def show_header(record: Mapping[str, Any]) -> None:
    """Print what a result file says beside its results."""
    facts = {"command": record["command"], "date": record["date"], **record["machine"], **record["versions"]}
    print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n", flush=True)


def save_figure(figure: Any, file: Path) -> None:
    """Write a figure of matplotlib's as a picture."""
    content = io.BytesIO()
    figure.savefig(content, format=file.suffix[1:])
    replace(file, content.getvalue())


@contextmanager
def interruptible(out: Path) -> Iterator[None]:
    """Let Ctrl-C end a measurement with a line that says what can be done with what there is."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\ninterrupted; --again shows what {out} holds", file=sys.stderr)
        sys.exit(130)


def make_ready(folder: Path) -> None:
    """Make a folder for results, or end with a line that says why there cannot be one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        sys.exit(f"error: {folder} is a file, or lies below one; choose another folder with --out")
    if not os.access(folder, os.W_OK):
        sys.exit(f"error: nothing can be written to {folder}; choose another folder with --out")


def replace(file: Path, content: bytes) -> None:
    """Write a file beside its place and rename it there."""
    unfinished = file.with_name(f".unfinished-{file.name}")
    unfinished.write_bytes(content)
    os.replace(unfinished, file)
    print(f"wrote {file}", file=sys.stderr)


def in_few_lines(value: Any) -> str:
    """Return JSON in which the innermost lists and objects have a line each."""
    text = json.dumps(value, indent=1, allow_nan=False)
    return re.sub(r"[\[{]\n[^\[\]{}]*[\]}]", lambda found: re.sub(r"\n\s*", " ", found[0]), text) + "\n"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())

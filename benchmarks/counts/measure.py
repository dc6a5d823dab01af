"""Runs the counted calls in a process of its own, and returns their counts with what these depend on."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.counts.counted import FEW, MANY
from benchmarks.harness.turns import THREADS, unforced

Counts = dict[str, int]

VALGRIND = ("valgrind", "--tool=callgrind", "--dump-before=getpgid")
PARTS = 3
"""Parts of each call in Callgrind's output: warm-up, few calls, many calls."""

BUILD = ("--enable-shared", "--enable-optimizations", "--with-lto", "--with-pydebug")

ALWAYS = {"PYTHONHASHSEED": "0", **dict.fromkeys(THREADS, "1")}
"""Variables of every counted process: the same order of sets, and one thread."""


def python_calls(kernels: str) -> tuple[str, Counts]:
    """Return the kernels in use, and every call's calls of Python functions; `kernels` is "" for the best ones."""
    found = _run(kernels, "python")
    return found["kernels"], found["counts"]


def instructions(kernels: str, root: Path = ROOT) -> Counts:
    """Return the instructions of every call, counted by Valgrind, with the code of this checkout or of another one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counts"
        found = _run(kernels, "instructions", [*VALGRIND, f"--callgrind-out-file={file}"], root)
        parts = [_total(file.with_suffix(f".{number}")) for number in range(1, PARTS * len(found["counts"]) + 1)]
    pairs = zip(parts[1::PARTS], parts[2::PARTS], strict=True)
    return {name: round((many - few) / (MANY - FEW)) for name, (few, many) in zip(found["counts"], pairs, strict=True)}


def _run(kernels: str, what: str, before: Sequence[str] = (), root: Path = ROOT) -> dict[str, Any]:
    variables = {**unforced(), **ALWAYS, "NPNETS_COMPILED": kernels, "PYTHONPATH": str(root)}
    command = [*before, sys.executable, "-m", "benchmarks.counts.counted", what]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root, env=variables)
    if done.returncode:
        sys.exit(f"error: the counted calls ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _total(file: Path) -> int:
    """Return the number of instructions in a file of Callgrind."""
    (total,) = re.findall(r"^totals: (\d+)", file.read_text(encoding="utf-8"), re.M)
    return int(total)


def versions() -> dict[str, str]:
    """Return what the number of instructions of a call depends on beside the code of npnets."""
    packages = {name: version(name) for name in ("numpy", "scipy", "autograd")}
    return {
        "machine": platform.machine(),
        "python": f"{platform.python_version()}, {platform.python_compiler()} {_built()}",
        "libc": " ".join(platform.libc_ver()),
        "compiler": _first_line(sysconfig.get_config_var("CC").split()[0], "--version").partition(" ")[2],
        **packages,
        "valgrind": _first_line("valgrind", "--version"),
    }


def _built() -> str:
    """Return the options of Python's own build that change how many instructions it executes."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS")).replace("'", "").split()
    return " ".join(sorted(option for option in options if option.startswith(BUILD)))


def has_valgrind() -> bool:
    """Return whether Valgrind is installed."""
    return shutil.which("valgrind") is not None


def has_avx2() -> bool:
    """Return whether this installation has compiled kernels for AVX2, the best that Valgrind can run."""
    code = "import npnets; print(npnets.about()['compiled'])"
    variables = {**os.environ, "NPNETS_COMPILED": "avx2"}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=variables)
    return done.stdout.strip() == "avx2"


def _first_line(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]

"""The provenance of a result file: command, date, machine and versions of the libraries."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shlex
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import npnets

ROOT = Path(__file__).resolve().parents[2]
MACHINE = ("processor", "cores", "blas", "blas_threads", "compiled", "gpus")
VERSIONS = ("python", "npnets", "numpy", "autograd", "scipy")


def provenance(libraries: Iterable[str] = ()) -> dict[str, Any]:
    """Return the current command, the date, the machine, and the versions of the libraries that results depend on.

    Parameters
    ----------
    libraries : iterable of str
        Packages in addition to npnets, its dependencies and Gymnasium; packages that are not installed are omitted.
    """
    facts = npnets.about()
    return {
        "command": command(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {**{name: facts[name] for name in MACHINE}, "system": system()},
        "versions": {**{name: facts[name] for name in VERSIONS}, **installed(("gymnasium", *libraries))},
    }


def command() -> str:
    """Return the command that started this process, relative to the root of the checkout.

    It has no `--out` and no folder, which do not change the results.
    """
    module = getattr(sys.modules["__main__"], "__spec__", None)
    program = Path(sys.argv[0]).resolve()
    if program.is_relative_to(ROOT):
        program = program.relative_to(ROOT)
    run = ["-m", module.name.removesuffix(".__main__")] if module else [program.as_posix()]
    return shlex.join(["python", *run, *_options()])


def _options() -> list[str]:
    arguments, options = iter(sys.argv[1:]), []
    for argument in arguments:
        if argument == "--out":
            next(arguments, None)
        elif not argument.startswith("--out="):
            options.append(argument)
    return options


def system() -> str:
    """Return the operating system and the processor architecture, without the kernel release."""
    return f"{platform.system()} {platform.machine()}"


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    return {name: importlib.metadata.version(name) for name in packages if importlib.util.find_spec(name)}

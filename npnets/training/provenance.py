"""Where a result comes from: the command, the date, the machine, and the versions of the libraries."""

import importlib.metadata
import importlib.util
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from npnets.installation import about

_MACHINE = ("processor", "cores", "blas", "blas_threads", "compiled", "gpus")
_VERSIONS = ("python", "npnets", "numpy", "autograd", "scipy")


def provenance(libraries: Iterable[str] = ("gymnasium",)) -> dict[str, Any]:
    """Return the command of this process, the date, the machine, and the versions of the libraries.

    Parameters
    ----------
    libraries : iterable of str
        Packages in addition to npnets and its dependencies; those that are not installed are omitted.

    Returns
    -------
    dict
        `command`, `date` (UTC), `machine` and `versions`, all of JSON's types.
    """
    facts = about()
    return {
        "command": command(sys.argv),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {**{name: facts[name] for name in _MACHINE}, "system": system()},
        "versions": {**{name: facts[name] for name in _VERSIONS}, **installed(libraries)},
    }


def command(arguments: Sequence[str]) -> str:
    """Return the command of a process, without `--out` and its folder, which do not change the results.

    The program is given relative to the current folder, if it lies there.
    """
    module = getattr(sys.modules["__main__"], "__spec__", None)
    program = Path(arguments[0]).resolve()
    if program.is_relative_to(Path.cwd()):
        program = Path(os.path.relpath(program))
    run = ["-m", module.name.removesuffix(".__main__")] if module else [program.as_posix()]
    return shlex.join(["python", *run, *_options(arguments[1:])])


def system() -> str:
    """Return the operating system and the processor architecture, without the kernel release."""
    return f"{platform.system()} {platform.machine()}"


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    return {name: importlib.metadata.version(name) for name in packages if importlib.util.find_spec(name)}


def _options(arguments: Sequence[str]) -> list[str]:
    remaining, options = iter(arguments), []
    for argument in remaining:
        if argument == "--out":
            next(remaining, None)
        elif not argument.startswith("--out="):
            options.append(argument)
    return options

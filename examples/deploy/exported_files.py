"""Writes a policy as C, ONNX and plain Python, and compiles the C; says why a form cannot run on this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import npnets
from npnets import export

NAME = "policy"
# One call for many observations, so that C is measured without the calls of Python.
SOURCE = """#include "policy.h"

void act(const float *observations, float *actions, int count)
{
    for (int i = 0; i < count; i++)
        policy(observations + POLICY_OBS_SIZE * i, actions + POLICY_ACTION_SIZE * i);
}
"""


class Exported(NamedTuple):
    """The file that a process loads, and the bytes of what is deployed."""

    path: Path
    size: int


def missing() -> dict[str, str]:
    """Return by name the forms that cannot run here, and why."""
    found = {}
    if compiler() is None:
        found["C"] = "there is no C compiler (cc, gcc or clang)"
    if importlib.util.find_spec("onnxruntime") is None:
        found["ONNX"] = "onnxruntime is not installed (pip install onnxruntime)"
    return found


def compiler() -> str | None:
    """Return the path of a C compiler."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def as_python(policy: npnets.Policy, folder: Path) -> Exported:
    """Write a policy as plain Python."""
    path = folder / f"{NAME}.py"
    export.python(path, policy)
    return Exported(path, path.stat().st_size)


def as_onnx(policy: npnets.Policy, folder: Path) -> Exported:
    """Write a policy as ONNX."""
    path = folder / f"{NAME}.onnx"
    export.onnx(path, policy)
    return Exported(path, path.stat().st_size)


def as_c(policy: npnets.Policy, folder: Path) -> Exported:
    """Write a policy as a header of C, and compile it to a library; its size is that of the object file."""
    export.c(folder / f"{NAME}.h", policy)
    source, compiled, library = (folder / f"{NAME}.{suffix}" for suffix in ("c", "o", "so"))
    source.write_text(SOURCE, encoding="ascii")
    _compile("-std=c99", "-O2", "-fPIC", "-c", str(source), "-o", str(compiled))
    _compile("-shared", str(compiled), "-o", str(library), "-lm")
    return Exported(library, compiled.stat().st_size)


def _compile(*arguments: str) -> None:
    command = [str(compiler()), *arguments]
    if subprocess.run(command, check=False).returncode:
        raise RuntimeError(f"the C compiler failed: {' '.join(command)}")


FORMS = {"C": as_c, "ONNX": as_onnx, "plain Python": as_python}

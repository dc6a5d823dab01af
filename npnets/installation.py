"""Facts about an installation for a bug report or a timing: versions, processor, BLAS, compiled kernels, devices."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

import npnets
from npnets.backend import available, loaded_cupy
from npnets.kernels.compiled.native import choice, native
from npnets.thread_count import find

_CUPY_PACKAGES = ("cupy", "cupy-cuda12x", "cupy-cuda13x")
_CPU_FACTS = Path("/proc/cpuinfo")


def about() -> dict[str, Any]:
    """Return the facts about this installation and machine that belong in a bug report or beside a timing.

    `python -m npnets` prints them.

    Returns
    -------
    dict
        Strings, integers, lists of strings and `None`, all of which JSON can hold:

        - `"npnets"`, `"python"`, `"numpy"`, `"autograd"`, `"scipy"`, `"cupy"`: versions, `None` for a package that is
          not installed;
        - `"system"`: the operating system;
        - `"processor"`: the name of the CPU;
        - `"cores"`: how many cores this process may use;
        - `"blas"`, `"blas_threads"`: the library that computes NumPy's matrix products, and how many threads it may
          take at present; `None` where `threadpoolctl` does not know the library, such as Apple's Accelerate;
        - `"compiled"`, `"compiled_because"`: the instruction set of the compiled kernels, such as `"avx2"`, or `"off"`
          where the NumPy kernels run, and the reason in words;
        - `"compiled_threads"`: how many threads one call of a compiled kernel takes at most at present, `None` without
          them;
        - `"devices"`: as `npnets.backend.available` returns them;
        - `"gpus"`: the names of the GPUs among them.

    Notes
    -----
    Imports CuPy if it is installed, which can take a second.
    """
    devices = available()
    name, threads = _blas()
    return {
        "npnets": npnets.__version__,
        "python": platform.python_version(),
        **{package: _version(package) for package in ("numpy", "autograd", "scipy")},
        "cupy": _cupy_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": cores(),
        "blas": name,
        "blas_threads": threads,
        "compiled": choice.name,
        "compiled_because": choice.reason,
        "compiled_threads": None if native is None else native.most_threads(),
        "devices": devices,
        "gpus": _gpu_names(devices),
    }


def numerics() -> str:
    """Return in one line what the last bits of a result depend on: versions, and kernels chosen for the processor."""
    blas = [f"{library['internal_api']} {library.get('architecture', '')}".strip() for library in find().info()[:1]]
    return ", ".join([f"npnets {npnets.__version__}", f"kernels {choice.name}", f"numpy {np.__version__}", *blas])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cupy_version() -> str | None:
    """Return the version of the loaded CuPy, or of one that is installed and cannot be loaded."""
    if "cupy" in sys.modules:
        return str(sys.modules["cupy"].__version__)
    return next(filter(None, map(_version, _CUPY_PACKAGES)), None)


def _gpu_names(devices: list[str]) -> list[str]:
    cupy = loaded_cupy()
    if cupy is None:
        return []
    numbers = [int(device.removeprefix("cuda:")) for device in devices if device != "cpu"]
    return [cupy.cuda.runtime.getDeviceProperties(number)["name"].decode() for number in numbers]


def _processor() -> str:
    lines = _CPU_FACTS.read_text(encoding="utf-8").splitlines() if _CPU_FACTS.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas() -> tuple[str, int | None]:
    """Return the name and version of the BLAS that NumPy uses, and its number of threads if that is known."""
    libraries = find().info()
    if not libraries:
        show_config: Any = np.show_config  # NumPy 2.0 annotates it without mode and result
        config = show_config(mode="dicts")
        return str(config["Build Dependencies"]["blas"]["name"]), None
    first = libraries[0]  # the first that was loaded: SciPy, which can have its own, loads NumPy's before
    return f"{first['internal_api']} {first['version']}", first["num_threads"]

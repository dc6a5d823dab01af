"""Loading CuPy on first use, and errors that name what is missing if it cannot be used.

This is the only file that imports CuPy.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from npnets.log import logger

_INSTALL = "pip install 'cupy-cuda13x[ctk]' (or 'cupy-cuda12x[ctk]' for a CUDA 12 driver)"
_NO_DEVICE, _INSUFFICIENT_DRIVER = 100, 35  # CUDA's own numbers of these two errors

_registrations: list[Callable[[ModuleType], None]] = []
_registered: dict[ModuleType, int] = {}


def when_cupy_is_loaded(register: Callable[[ModuleType], None]) -> None:
    """Have a function called with the module `cupy`, as soon as an array of it can turn up here."""
    _registrations.append(register)


def loaded_cupy() -> ModuleType | None:
    """Return the module `cupy` if something has loaded it: until then every array is NumPy's."""
    cupy = sys.modules.get("cupy")
    if cupy is None or not hasattr(cupy, "ndarray"):  # without it, another thread is still importing the module
        return None
    if _registered.get(cupy) != len(_registrations):
        for register in _registrations:  # doing so twice, in two threads, does no harm
            register(cupy)
        _registered[cupy] = len(_registrations)
    return cupy


def _cupy() -> ModuleType:
    try:
        import cupy
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        raise ImportError(f"a GPU was requested, but CuPy is not installed: {_INSTALL}") from error
    except ImportError as error:
        raise ImportError(f"CuPy is installed, but does not load ({error}); install it anew: {_INSTALL}") from error
    return loaded_cupy() or cupy


def usable_cupy(number: int) -> ModuleType:
    """Return the module `cupy` if the GPU of this number can be used, or say what is missing.

    Raises
    ------
    ImportError, RuntimeError
        If CuPy, the driver or the GPU is missing.
    """
    cupy = _cupy()
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except RuntimeError as error:
        raise RuntimeError(f"a GPU was requested, but {_why_no_gpu(runtime, error)}") from error
    if number >= count:
        there = f"there is only {count}" if count == 1 else f"there are {count}"
        raise RuntimeError(f"GPU {number} was requested, but {there}; GPUs are numbered from 0")
    return cupy


def number_of_gpus() -> int:
    """Return how many GPUs can be used; the logger tells why there is none although CuPy is installed."""
    try:
        runtime = _cupy().cuda.runtime
    except ImportError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            logger().info("no GPU can be used: %s", error)
        return 0
    try:
        return int(runtime.getDeviceCount())
    except RuntimeError as error:
        logger().info("CuPy is installed, but no GPU can be used: %s", _why_no_gpu(runtime, error))
        return 0


def _why_no_gpu(runtime: Any, error: RuntimeError) -> str:
    status, driver = getattr(error, "status", None), runtime.driverGetVersion()
    if driver == 0:
        return "there is no NVIDIA driver here; install one, and see that nvidia-smi runs"
    if status == _INSUFFICIENT_DRIVER:
        return (
            f"the NVIDIA driver is too old: it supports CUDA {_version(driver)}, and the CuPy installed here needs "
            f"CUDA {_version(runtime.runtimeGetVersion())}; update the driver, or install the CuPy for an older CUDA: "
            "pip install 'cupy-cuda12x[ctk]'"
        )
    if status == _NO_DEVICE:
        return (
            "the NVIDIA driver finds none; does nvidia-smi list one, or does the variable CUDA_VISIBLE_DEVICES hide it?"
        )
    return f"CuPy finds no usable GPU ({error}); does nvidia-smi list one?"


def _version(number: int) -> str:
    """Return CUDA's way of writing a version, 13020, as people write it, 13.2."""
    return f"{number // 1000}.{number % 1000 // 10}"

"""The switch between NumPy and CuPy: which module owns an array, and where new arrays are placed.

This is the only file that imports CuPy, and it does so only once a GPU is asked for. It knows nothing of trees,
derivatives or networks. A *device* is what users write (`"cpu"`, `None`, `"cuda"`, `"cuda:1"`, `1`); a *namespace*
is the module (`numpy` or `cupy`) whose functions work on an array.
"""

import re
import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Device: TypeAlias = str | int | None

_INSTALL = "pip install 'npnets[cuda13]' (or 'npnets[cuda12]' for a CUDA 12 driver)"


def namespace(array: Any) -> ModuleType:
    """Return the module that owns an array: `numpy`, or `cupy` for an array on a GPU.

    Parameters
    ----------
    array : array or scalar
        Anything; what is no CuPy array counts as NumPy's.

    Returns
    -------
    module
    """
    if type(array) is np.ndarray:
        return np
    cupy = sys.modules.get("cupy")
    return cupy if cupy is not None and isinstance(array, cupy.ndarray) else np


def special(array: Any) -> ModuleType:
    """Return the special functions (`erf`, ...) for an array: `scipy.special` or `cupyx.scipy.special`."""
    if namespace(array) is np:
        import scipy.special

        return scipy.special  # type: ignore[no-any-return]
    import cupyx.scipy.special

    return cupyx.scipy.special  # type: ignore[no-any-return]


def parse_device(device: Device) -> int | None:
    """Translate a device as users write it into a GPU's number, or `None` for the CPU.

    Parameters
    ----------
    device : str, int or None
        `"cpu"` or `None`; `"cuda"` for the first GPU; `"cuda:1"` or `1` for the second.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        For anything else.
    """
    if device is None or device == "cpu":
        return None
    if isinstance(device, (int, np.integer)) and not isinstance(device, bool) and device >= 0:
        return int(device)
    match = re.fullmatch(r"cuda(?::(\d+))?", device) if isinstance(device, str) else None
    if match is None:
        raise ValueError(f"device must be 'cpu', None, 'cuda', 'cuda:<number>' or a GPU's number, but is {device!r}")
    return int(match.group(1) or 0)


def available() -> list[str]:
    """Return the devices that can be used here, `"cpu"` first, then `"cuda:0"` and so on."""
    try:
        count = _cupy().cuda.runtime.getDeviceCount()
    except (ImportError, RuntimeError):
        count = 0
    return ["cpu", *(f"cuda:{number}" for number in range(count))]


def place(array: Array, device: Device) -> Array:
    """Put a NumPy array on a device.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape and dtype.
    device : str, int or None
        As in `parse_device`.

    Returns
    -------
    array
        The same array for the CPU, a CuPy array for a GPU.

    Raises
    ------
    ImportError
        If a GPU is asked for and CuPy is not installed.
    RuntimeError
        If that GPU is not there.
    """
    number = parse_device(device)
    if number is None:
        return array
    cupy = _cupy()
    _require_gpu(cupy, number)
    with cupy.cuda.Device(number):
        return cupy.asarray(array)  # type: ignore[no-any-return]


def adopt(array: Any, like: Array) -> Array:
    """Bring a value to the backend, device and dtype of another array; nothing is copied that is there already.

    Parameters
    ----------
    array : array or sequence of numbers
        What came in at a network's door, on any backend.
    like : array
        The array that sets the backend and the dtype: one of the parameters.

    Returns
    -------
    array
    """
    xp = namespace(like)
    if xp is np:
        return np.asarray(to_numpy(array), dtype=like.dtype)
    with like.device:  # type: ignore[attr-defined]
        return xp.asarray(array, dtype=like.dtype)  # type: ignore[no-any-return]


def to_numpy(array: Any) -> Any:
    """Return an array as NumPy's; a CuPy array is copied from its GPU, anything else is returned as it is."""
    return array if namespace(array) is np else array.get()


def _cupy() -> ModuleType:
    try:
        import cupy
    except ImportError as error:
        raise ImportError(f"a GPU was asked for, but CuPy is not installed: {_INSTALL}") from error
    return cupy  # type: ignore[no-any-return]


def _require_gpu(cupy: ModuleType, number: int) -> None:
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise RuntimeError(f"CuPy finds no usable GPU ({error}); check the driver with nvidia-smi") from error
    if number >= count:
        raise RuntimeError(f"GPU {number} was asked for, but there are {count}; GPUs are numbered from 0")

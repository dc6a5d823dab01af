"""The switch between NumPy and CuPy: which module owns an array, its device, and moves between devices.

CuPy is imported only once a GPU is requested. This file is independent of trees, derivatives and networks. Users write
a *device* as `"cpu"`, `None`, `"cuda"`, `"cuda:1"` or `1`. An array's *namespace* is `numpy` or `cupy`, the module of
the functions that work on it.
"""

import contextlib
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from npnets.cupy_loading import loaded_cupy, number_of_gpus, usable_cupy
from npnets.public import listing

__all__ = [
    "asarray_like",
    "available",
    "check_one_device",
    "device_of",
    "loaded_cupy",
    "namespace",
    "parse_device",
    "special",
    "to_device",
    "to_numpy",
    "using",
]

__dir__ = listing(__all__)

Array: TypeAlias = NDArray[Any]
Device: TypeAlias = str | int | None

_CPU = contextlib.nullcontext()


# -- which module and which device ------------------------------------------------------------------------------------


def namespace(array: Any) -> ModuleType:
    """Return the module that owns an array: `numpy`, or `cupy` for an array on a GPU.

    Parameters
    ----------
    array : array or scalar
        Any value; all but CuPy's arrays count as NumPy's.

    Returns
    -------
    module
    """
    if type(array) is np.ndarray:
        return np
    cupy = loaded_cupy()
    return cupy if cupy is not None and isinstance(array, cupy.ndarray) else np


def special(array: Any) -> ModuleType:
    """Return the special functions (`erf`, ...) for an array: `scipy.special` or `cupyx.scipy.special`."""
    if namespace(array) is np:
        import scipy.special

        return scipy.special
    import cupyx.scipy.special

    return cupyx.scipy.special


def device_of(array: Any) -> str:
    """Return the name of the device that an array lies on: `"cpu"`, `"cuda:0"`, `"cuda:1"`, ..."""
    return "cpu" if namespace(array) is np else f"cuda:{array.device.id}"


def check_one_device(
    arrays: Sequence[Any], what: Callable[[], str], names: Callable[[], Sequence[str]] | None = None
) -> None:
    """Check that the arrays among some values lie on one device; numbers and other objects are passed over.

    Parameters
    ----------
    arrays : sequence
    what : callable
        Returns what the arrays are, for the error's text.
    names : callable, optional
        Returns what each of them is called; without names the error shows their shapes.

    Raises
    ------
    TypeError
        If they do not. Nothing is moved to make them fit.
    """
    devices = [gpu_number(array) for array in arrays]
    if len({device for device in devices if device is not None}) > 1:
        called = [repr(name) for name in names()] if names else [f"shape {np.shape(array)}" for array in arrays]
        raise TypeError(
            f"{what()} must lie on one device, but there are {_listed(devices, called)}; nothing is moved by itself: "
            "move all to one device with npnets.tree.to_device(tree, device)"
        )


def gpu_number(array: Any) -> int | None:
    """Return the number of the GPU that an array lies on, -1 for NumPy's, `None` for other objects."""
    if type(array) is np.ndarray:
        return -1
    return None if namespace(array) is np else array.device.id


def _listed(devices: list[int | None], names: list[str], most: int = 4) -> str:
    """Return which arrays lie where as text, not more than a few for each device."""
    parts = []
    for device in sorted({device for device in devices if device is not None}):
        there = [name for name, its in zip(names, devices, strict=True) if its == device]
        more = f" and {len(there) - most} more" if len(there) > most else ""
        parts.append(f"{', '.join(there[:most])}{more} on {'cpu' if device < 0 else f'cuda:{device}'!r}")
    return "; ".join(parts)


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
    if device is None or (isinstance(device, str) and device == "cpu"):
        return None
    if isinstance(device, (int, np.integer)) and not isinstance(device, bool) and device >= 0:
        return int(device)
    match = re.fullmatch(r"cuda(?::(\d+))?", device) if isinstance(device, str) else None
    if match is None:
        raise ValueError(
            f"device must be 'cpu', None, 'cuda', 'cuda:<number>' or a GPU's number, but is {device!r:.80}"
        )
    return int(match.group(1) or 0)


def using(device: Device | Array) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which CuPy computes and allocates on a device of your choice.

    Networks, derivatives and optimizers follow their parameters by themselves. Code between them that computes with
    arrays of a GPU other than the first needs this: `with npnets.backend.using("cuda:1"): ...`

    Parameters
    ----------
    device : str, int, None or array
        As in `parse_device`, or an array that lies on the device; for the CPU nothing changes.

    Raises
    ------
    ImportError, RuntimeError
        As `to_device`.
    """
    if hasattr(device, "dtype") and not isinstance(device, np.integer):
        array: Any = device
        return _CPU if namespace(array) is np else array.device
    number = parse_device(device)
    return _CPU if number is None else usable_cupy(number).cuda.Device(number)


def available() -> list[str]:
    """Return the devices that can be used here, `"cpu"` first, then `"cuda:0"` and so on."""
    return ["cpu", *(f"cuda:{number}" for number in range(number_of_gpus()))]


# -- moving -----------------------------------------------------------------------------------------------------------


def to_device(array: Array, device: Device) -> Array:
    """Move an array to a device; nothing is copied that is there already.

    Parameters
    ----------
    array : array
        Any shape and dtype, on any device.
    device : str, int or None
        As in `parse_device`.

    Returns
    -------
    array
        NumPy's for the CPU, CuPy's for a GPU.

    Raises
    ------
    ImportError
        If the device is a GPU, and CuPy is not installed or does not load.
    RuntimeError
        If there is no driver, the driver is too old, or that GPU is not there.
    """
    number = parse_device(device)
    if number is None:
        return to_numpy(array)
    cupy = usable_cupy(number)
    with cupy.cuda.Device(number):
        return cupy.asarray(array)


def asarray_like(array: Any, like: Array) -> Array:
    """Move a value to the device and dtype of another array; nothing is copied that is there already.

    Parameters
    ----------
    array : array or sequence of numbers
        An input of a network.
    like : array
        The array that sets the device and the dtype: one of the parameters.

    Returns
    -------
    array
    """
    xp = namespace(like)
    if xp is np:
        return np.asarray(to_numpy(array), dtype=like.dtype)
    with using(like):
        return xp.asarray(array, dtype=like.dtype)


def to_numpy(array: Any) -> Any:
    """Return an array as NumPy's; a CuPy array is copied from its GPU, anything else is returned as it is."""
    return array if namespace(array) is np else array.get()

"""The values of a state dict as NumPy arrays; tensors are recognized by their methods, without any import."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npnets.backend import Array, to_numpy


def as_numpy(value: object, name: str) -> Array:
    """Return a value of a state dict as a NumPy array, without a copy where possible.

    Parameters
    ----------
    value : array or tensor
        A NumPy or CuPy array, a PyTorch tensor on any device, or a value that NumPy can convert.
    name : str
        Its name, for the message of an error.

    Raises
    ------
    TypeError
        If it is none of these, has no values (as on the device `meta`), or NumPy has no such dtype.
    """
    value = to_numpy(value)
    try:
        found = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise TypeError(f"{name!r} {_why_not(value, error)}") from error
    if not isinstance(found, np.ndarray) and not hasattr(found, "__array__"):
        raise TypeError(f"{name!r} must be an array, but is a {type(value).__name__}")
    return np.asarray(found)


def _why_not(value: object, error: Exception) -> str:
    """Return the reason why a tensor cannot be converted: its dtype, if NumPy has none of that name, or its device."""
    dtype, reason = str(getattr(value, "dtype", "unknown")), " ".join(str(error).split())
    if isinstance(error, TypeError) and not hasattr(np, dtype.rpartition(".")[2]):
        return (
            f"has dtype {dtype} and cannot become a NumPy array ({reason}); convert it to a dtype that NumPy has, with "
            "tensor.float()"
        )
    device = getattr(value, "device", "unknown")
    return f"of dtype {dtype} on the device {device} cannot become a NumPy array: {reason}"


def check_one_floating_dtype(arrays: Mapping[str, Array]) -> None:
    """Check that all arrays are of one floating-point dtype."""
    names: dict[np.dtype[Any], str] = {}
    for name, array in arrays.items():
        names.setdefault(array.dtype, name)
    wrong = next((dtype for dtype in names if dtype.kind != "f"), None)
    if wrong is not None:
        raise TypeError(
            f"parameters must be floating-point numbers, but {names[wrong]!r} has dtype {wrong}; convert it with "
            "astype(numpy.float32)"
        )
    if len(names) > 1:
        found = ", ".join(f"{dtype} (as {name!r})" for dtype, name in names.items())
        raise TypeError(f"parameters must all be of one dtype, but there are {found}; convert them to one dtype first")


def own_copy(array: Array) -> Array:
    """Return the same numbers in memory of their own, laid out row by row and in the machine's byte order."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")

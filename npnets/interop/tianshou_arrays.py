"""The values of a state dict as NumPy arrays: tensors and arrays of a GPU are told by what they can do.

No framework is imported for it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npnets.backend import Array, to_numpy


def as_numpy(value: Any, name: str) -> Array:
    """Return a value of a state dict as a NumPy array, without a copy where there need be none.

    Parameters
    ----------
    value : array or tensor
        A NumPy or CuPy array, a PyTorch tensor on any device, or what NumPy knows how to convert.
    name : str
        What it is called, for the error's text.

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


def _why_not(value: Any, error: Exception) -> str:
    """Say why a tensor gives no array: its dtype, where it came to the CPU and NumPy has none of that name."""
    dtype, said = str(getattr(value, "dtype", "unknown")), " ".join(str(error).split())
    if isinstance(error, TypeError) and not hasattr(np, dtype.rpartition(".")[2]):
        return (
            f"has dtype {dtype} and cannot be made a NumPy array ({said}); bring it to a dtype that NumPy has, as "
            "tensor.float() does"
        )
    device = getattr(value, "device", "unknown")
    return f"of dtype {dtype} on the device {device} cannot be made a NumPy array, because it says: {said}"


def check_one_floating_dtype(arrays: Mapping[str, Array]) -> None:
    """Check that all arrays are of one floating-point dtype.

    Raises
    ------
    TypeError
        If they are not; the message names an array of each dtype.
    """
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
        raise TypeError(f"parameters must all be of one dtype, but there are {found}; bring them to one dtype first")


def own_copy(array: Array) -> Array:
    """Return the same numbers in memory of their own, laid out row by row and in the machine's byte order."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")

"""Which arrays npnets computes with: plain ones of float32 or float64, in the machine's byte order.

Everything else is refused where it arrives. float16 overflows at 65504 and cannot count beyond 2048, so that sums,
means and squares of it are silently wrong; a subclass of `numpy.ndarray` may redefine `*` or carry a mask that other
functions drop.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

DType: TypeAlias = np.dtype[Any]

COMPUTED = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
"""The dtypes of parameters, observations inside networks, and everything that is differentiated."""

_PLAIN = (np.ndarray, np.memmap)


def dtype_fault(dtype: DType) -> str | None:
    """Return the fault of a dtype and its remedy, as the end of a sentence; `None` for float32 and float64."""
    if dtype in COMPUTED:
        return None
    if not isinstance(dtype, np.dtype):
        return f"has dtype {dtype}, of another library; make it a NumPy array with numpy.asarray(x)"
    if not dtype.isnative and dtype.newbyteorder("=") in COMPUTED:
        return f"has dtype {dtype.str!r}, in the byte order of another machine; convert it with {_cast(dtype)}"
    if dtype.kind == "f":
        return f"has dtype {dtype}, and npnets computes in float32 and float64 alone; convert it with {_cast(dtype)}"
    if dtype.kind == "c":
        return f"has dtype {dtype}, and npnets has no complex numbers; compute with real and imaginary part apart"
    if dtype.kind in "biu":
        return f"has dtype {dtype}; convert it with {_cast(dtype)}"
    return f"has dtype {dtype}, which holds no floating-point numbers"


def class_fault(array: object) -> str | None:
    """Return the fault of an array's class and its remedy, as the end of a sentence; `None` for plain arrays.

    An array of another library, such as CuPy's, counts as plain.
    """
    kind = type(array)
    if kind in _PLAIN or not isinstance(array, np.ndarray):
        return None
    if isinstance(array, np.ma.MaskedArray):
        return (
            "is a masked array, whose mask would be lost; take its numbers with numpy.ma.filled(x, 0), and select "
            "entries with npnets.numpy.where(mask, x, 0)"
        )
    return (
        f"is a {kind.__module__}.{kind.__name__}, which may redefine operators such as *; make it a plain array with "
        "numpy.asarray(x)"
    )


def check_plain(array: object, what: str) -> None:
    """Check that an array is of no class that other functions treat otherwise.

    Raises
    ------
    TypeError
        If it is a masked array, a matrix, or another subclass of `numpy.ndarray`.
    """
    fault = class_fault(array)
    if fault is not None:
        raise TypeError(f"expected {what} as a plain array, but it {fault}")


def array_fault(array: NDArray[Any]) -> str | None:
    """Return the fault of an array's dtype or class; `None` if npnets computes with it."""
    return dtype_fault(array.dtype) or class_fault(array)


def _cast(dtype: DType) -> str:
    wide = dtype.kind == "f" and dtype.itemsize > np.dtype(np.float32).itemsize
    return f"astype(numpy.float{64 if wide else 32})"

"""Arrays that arrive here: on the host, of real numbers, no constants of a derivative; and flags of two values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnets.autodiff import is_traced
from npnets.backend import to_numpy
from npnets.inputs import as_array

_NUMBERS = frozenset({float, bool, np.float64, np.float32, np.bool_})
"""Types of the rewards and flags that environments return, about which nothing needs a check."""


def on_host(name: str, value: Any) -> NDArray[Any]:
    """Return an array of real numbers as NumPy's, of its own dtype; a GPU's is copied."""
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value
    if type(value) in _NUMBERS:
        return np.array(value)
    found = as_array(value, name)
    if is_traced(found):
        raise TypeError(
            f"{name} is being differentiated, and what npnets.data takes is constant; call it outside of the function "
            "that is differentiated"
        )
    return np.asarray(to_numpy(found))  # also a column of a table, whose indices are labels


def rows_not_finite(column: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of the rows in which a number is NaN or infinite."""
    return np.flatnonzero(~np.isfinite(column.reshape(len(column), -1)).all(1))


def flags(name: str, value: Any) -> NDArray[np.bool_]:
    """Return flags as booleans; numbers other than zero and one are refused, which might be rewards."""
    found = on_host(name, value)
    if found.dtype == np.bool_:
        return found
    if not ((found == 0) | (found == 1)).all():
        raise ValueError(f"{name} must have True and False, or 1 and 0, but has other numbers; is it another array?")
    return found.astype(np.bool_)

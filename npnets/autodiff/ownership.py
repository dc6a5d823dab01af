"""Arrays that leave a derivative: they are read-only, or share no memory with arrays that it still needs."""

from typing import Any

import numpy as np

from npnets.autodiff.devices import computing_where
from npnets.autodiff.tracing import bare, is_traced
from npnets.backend import namespace


def own(g: Any, given_away: set[int]) -> Any:
    """Return an array that a caller may change in place: a copy where others have it, or see the same memory."""
    if isinstance(g, np.generic):
        return np.asarray(g)
    shared = not is_traced(g) and (g.base is not None or id(g) in given_away)
    given_away.add(id(g))
    return own_copy(g) if shared else g


def is_array(x: object) -> bool:
    """Tell whether something is an array of NumPy's or CuPy's, and neither traced nor a scalar."""
    return isinstance(x, np.ndarray) or namespace(x) is not np


def own_copy(x: Any) -> Any:
    """Return a copy of an array; what nobody can change in place, such as a traced array, as it is."""
    if type(x) is np.ndarray:
        return x.copy()
    if not is_array(x):
        return x
    with computing_where(x):
        return x.copy()


def read_only(x: object) -> Any:
    """Return an array as one that nobody can change: a read-only view on NumPy, a copy on a GPU."""
    if not isinstance(x, np.ndarray):
        return own_copy(x)
    view = x.view()
    view.flags.writeable = False
    return view


def in_dtype_of(x: Any, g: Any) -> Any:
    """Return the cotangent or direction of an array in that array's dtype."""
    g = g if hasattr(g, "dtype") else namespace(bare(x)).asarray(g)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def zeros_like(x: object) -> Any:
    """Return an array of zeros like another, which may be traced."""
    value = bare(x)
    if type(value) is np.ndarray:
        return np.zeros(value.shape, value.dtype)
    with computing_where(value):
        return namespace(value).zeros_like(value)

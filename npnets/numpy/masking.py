"""Sums and means over the entries that a mask selects: the padding is not read.

A mask must come before the arithmetic. In `sum(where(mask, (x - y) ** 2, 0))` a NaN in the padding of `y` does not
reach the sum, but it does reach the gradient: zero, the cotangent of the padding, is multiplied by the slope
`2 * (x - y)`, and zero times NaN is NaN. `where(mask, x - y, 0) ** 2` is right.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare, is_traced
from npnets.autodiff.tracing import is_root
from npnets.backend import Array
from npnets.dtypes import dtype_fault
from npnets.numpy.broadcasting import broadcast_to
from npnets.numpy.constants import asarray
from npnets.numpy.elementwise import where
from npnets.numpy.reductions import Axis, sum


def masked_sum(x: ArrayLike, mask: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over those entries where a mask holds.

    Parameters
    ----------
    x : array of floating-point numbers
    mask : array of bool
        Of the shape of `x`, or one that broadcasts to it; a constant to every derivative.
    axis : int, tuple of int or None
    keepdims : bool
        As in `sum`.

    Returns
    -------
    array
        Zero where the mask selects nothing.

    Raises
    ------
    ValueError
        If the mask does not broadcast to the shape of `x`.
    TypeError
        If the mask is not boolean, or `x` not of float32 or float64.
    FloatingPointError
        If `x` was computed from what is differentiated and is not finite where the mask does not hold, because the
        arithmetic before would turn that into gradients of NaN. Arrays on a GPU are not looked at, because that would
        wait for them.
    """
    return sum(_selected(*_checked(x, mask)), axis, keepdims)


def masked_mean(x: ArrayLike, mask: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Mean over those entries where a mask holds; zero where it selects nothing.

    Parameters, errors and the shape of the result are those of `masked_sum`.
    """
    values, where_it_holds = _checked(x, mask)
    number = np.maximum(sum(where_it_holds, axis, keepdims), 1)
    return sum(_selected(values, where_it_holds), axis, keepdims) / number.astype(values.dtype)


def _selected(x: Any, mask: Any) -> Any:
    """Return an array with zeros where a mask does not hold."""
    if is_traced(x) and not is_root(x):
        _check_finite_padding(bare(x), mask)
    return where(mask, x, 0)


def _checked(x: object, mask: object) -> tuple[Any, Any]:
    """Return a floating-point array, and its mask in the same shape."""
    x = asarray(x)
    fault = dtype_fault(x.dtype)
    if fault is not None:
        raise TypeError(f"expected x as a float32 or float64 array, but it {fault}")
    return x, _as_mask(mask, x)


def _as_mask(mask: Any, x: Any) -> Any:
    mask = bare(asarray(mask))
    if mask.dtype.kind != "b":
        raise TypeError(f"expected a mask of dtype bool, but got {mask.dtype}; make one by comparing: mask > 0")
    try:
        return broadcast_to(mask, x.shape)
    except ValueError:
        raise ValueError(
            f"expected a mask of shape {x.shape}, that of x, or one that broadcasts to it, but got {mask.shape}; is an "
            "axis missing, as in mask[:, None]?"
        ) from None


def _check_finite_padding(x: Array, mask: object) -> None:
    if isinstance(x, np.ndarray) and not np.all(np.isfinite(x) | mask):
        raise FloatingPointError(
            "x is not finite somewhere where mask does not hold, and its gradient would be NaN there; mask before the "
            "arithmetic: masked_mean(where(mask, prediction - target, 0) ** 2, mask)"
        )

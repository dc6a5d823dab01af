"""Initial values of parameters, drawn from an explicit `numpy.random.Generator`.

Numbers are drawn in NumPy in double precision, then cast and moved, so that one seed gives the same values in every
dtype and on every device.
"""

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from npnets import description, tree
from npnets.backend import Array, asarray_like
from npnets.dtypes import COMPUTED, DType
from npnets.numpy import zeros_like
from npnets.public import listing
from npnets.tree import Tree

T = TypeVar("T")

__all__ = ["orthogonal", "orthogonalize", "uniform_fan_in"]

__dir__ = listing(__all__)


def uniform_fan_in(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike) -> Array:
    """Draw evenly from within one over the square root of the number of inputs: PyTorch's default for `Linear`.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
    fan_in : int
        How many inputs a unit has.
    dtype : dtype

    Returns
    -------
    array of that shape and dtype
    """
    check_generator(rng)
    limit = 1 / math.sqrt(description.size("fan_in", fan_in))
    return rng.uniform(-limit, limit, _axes(shape)).astype(check_floating(dtype))


def orthogonal(
    rng: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0, dtype: DTypeLike = np.float32
) -> Array:
    """Draw a random matrix whose rows or columns, whichever are fewer, are orthogonal and of length `gain`.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (..., in, out)
        Leading axes make one matrix each.
    gain : float
        `sqrt(2)` is usual before `relu`.
    dtype : dtype

    Returns
    -------
    (..., in, out) array

    Notes
    -----
    Saxe, McClelland and Ganguli 2014; evenly distributed, as PyTorch's ``orthogonal_``.
    """
    check_generator(rng)
    _check_gain(gain, "orthogonal(rng, shape, gain)")
    axes = _axes(shape)
    if len(axes) < 2:
        raise ValueError(f"expected a shape (..., in, out) with at least two axes, but got {shape}")
    *members, rows, columns = axes
    tall = rng.standard_normal((*members, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    matrix = q if rows >= columns else q.swapaxes(-1, -2)
    return np.ascontiguousarray(gain * matrix, dtype=check_floating(dtype))


def orthogonalize(rng: np.random.Generator, params: T, gain: float = 1.0) -> T:
    """Return parameters with every linear weight drawn again by `orthogonal`, and its bias set to zero.

    Parameters
    ----------
    rng : numpy.random.Generator
    params : tree
        Of a network or a part of one. Norm layers and other parameters stay as they are.
    gain : float

    Returns
    -------
    tree
        A new tree of the same structure, dtypes and devices.
    """
    order = "orthogonalize(rng, params, gain)"
    check_generator(rng, order)
    _check_gain(gain, order)
    if not isinstance(params, (dict, list, tuple)) and not hasattr(params, "dtype"):
        raise TypeError(f"expected a tree of arrays as params, but got {params!r:.60}; the order is {order}")
    return _orthogonalized(rng, params, gain)


def _orthogonalized(rng: np.random.Generator, params: Tree, gain: float) -> Tree:
    if isinstance(params, (list, tuple)):
        return tree.sequence_like(params, [_orthogonalized(rng, part, gain) for part in params])
    if not isinstance(params, dict):
        return params
    weight: Any = params.get("weight")
    new = {}
    if getattr(weight, "ndim", 0) >= 2:
        new["weight"] = asarray_like(orthogonal(rng, weight.shape, gain, weight.dtype), weight)
        if "bias" in params:
            new["bias"] = zeros_like(params["bias"])
    return {key: new[key] if key in new else _orthogonalized(rng, part, gain) for key, part in params.items()}


def check_generator(rng: object, order: str = "") -> np.random.Generator:
    """Return `rng` if it is a generator; an error shows how one is made, and the `order` of arguments in a call."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator, but is {rng!r:.60}; make one with numpy.random.default_rng(seed)"
            + (f"; the order is {order}" if order else ", and give it before the other arguments")
        )
    return rng


def _axes(shape: Any) -> tuple[int, ...]:
    """Return a shape, which may be empty, as a tuple of ints."""
    checked = () if shape == () else description.shape("shape", shape, least=0)
    return (checked,) if isinstance(checked, int) else checked


def _check_gain(gain: object, order: str) -> None:
    if isinstance(gain, (bool, np.bool_)) or not isinstance(gain, (int, float, np.integer, np.floating)):
        raise TypeError(f"gain must be a number, but is {gain!r:.60}; the order is {order}")


def check_floating(dtype: DTypeLike) -> DType:
    """Return a dtype if parameters can have it: float32 or float64."""
    found = np.dtype(dtype)
    if found not in COMPUTED:
        raise TypeError(f"parameters must be floating-point numbers, but dtype is {found}; use float32 or float64")
    return found

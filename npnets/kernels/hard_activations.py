"""Activations that are linear between two points and constant beyond them, and the product of one with `z`.

Symbols: `y = f(z)`, `g` the cotangent of `y`; a backward returns the cotangent of `z`. At both points the derivative is
zero, as PyTorch has it; NaN comes out where it goes in.
"""

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array


def hardtanh(z: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """`z` clipped to `[min_val, max_val]`; its derivative at both bounds is zero."""
    if not min_val < max_val:
        raise ValueError(f"hardtanh's min_val must be below max_val, but they are {min_val!r} and {max_val!r}")
    return nnp.where(nnp.less_equal(z, min_val), min_val, nnp.where(nnp.greater_equal(z, max_val), max_val, z))


def hardtanh_forward(z: Array, min_val: float, max_val: float) -> Array:
    """Return `hardtanh` of an array."""
    return np.clip(z, min_val, max_val)


def hardtanh_backward(g: Array, y: Array, z: Array, min_val: float, max_val: float) -> Array:
    """Return `g` between the bounds, else zero."""
    return np.where((z <= min_val) | (z >= max_val), g.dtype.type(0), g)


def relu6(z: Array) -> Array:
    """`z` clipped to `[0, 6]`; its derivative at both bounds is zero."""
    return hardtanh(z, 0, 6)


def hardsigmoid(z: Array) -> Array:
    """Zero up to -3, one from 3 on, and `(z + 3) / 6` between them."""
    return nnp.where(nnp.less_equal(z, -3), 0, nnp.where(nnp.greater_equal(z, 3), 1, (z + 3) / 6))


def hardsigmoid_forward(z: Array) -> Array:
    """Return `hardsigmoid` of an array."""
    return np.clip((z + 3) / 6, 0, 1)


def hardsigmoid_backward(g: Array, y: Array, z: Array) -> Array:
    """Return `g / 6` between -3 and 3, else zero."""
    return np.where((z <= -3) | (z >= 3), g.dtype.type(0), g / 6)


def hardswish(z: Array) -> Array:
    """`z * hardsigmoid(z)` (Howard et al. 2019)."""
    return z * hardsigmoid(z)


def hardswish_backward(g: Array, y: Array, z: Array) -> Array:
    """Return zero up to -3, `g` from 3 on, and `g * (z / 3 + 1 / 2)` between them."""
    return np.where(z <= -3, g.dtype.type(0), np.where(z >= 3, g, g * (z / 3 + 0.5)))

"""The activation functions: for each its plain composition, its forward on NumPy, and its backward by hand.

Symbols: `y = f(z)`, `g` the cotangent of `y`; a backward returns the cotangent of `z`. Where the derivative follows
from `y` alone, the forward overwrites `z`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.caches import bounded_cache
from npnets.kernels.buffers import scratch
from npnets.kernels.gelu import normal_cdf, normal_density, tanh_cdf, tanh_cdf_and_rest, v_slope
from npnets.kernels.hard_activations import (
    hardsigmoid,
    hardsigmoid_backward,
    hardsigmoid_forward,
    hardswish,
    hardswish_backward,
    hardtanh,
    hardtanh_backward,
    hardtanh_forward,
    relu6,
)
from npnets.kernels.logistic import (
    logsigmoid,
    logsigmoid_forward,
    mish,
    mish_backward,
    mish_forward,
    sigmoid,
    sigmoid_forward,
    silu,
    silu_backward,
    softplus,
    softplus_backward,
)
from npnets.underflow import ignoring_underflow


class Formulas(NamedTuple):
    """The formulas of one activation function.

    `forward(z, *args)` may overwrite `z` unless `needs_z`; `backward(g, y, z, *args)` reads `z` only if it `needs_z`.
    `backward_in_place(g, y)` overwrites `g`, which saves the traffic of another array; `None` where it would not.
    """

    composition: Callable[..., Array]
    forward: Callable[..., Array]
    backward: Callable[..., Array]
    needs_z: bool
    backward_in_place: Callable[..., Array] | None = None


_WIDEST = 1 << 12


@bounded_cache(maxsize=64)
def _zeros(width: int, dtype: str) -> Array:
    """Return a read-only row of zeros: `maximum` with a number takes NumPy more than twice as long."""
    zeros = np.zeros(width, dtype)
    zeros.setflags(write=False)
    return zeros


def relu(z: Array) -> Array:
    """Rectified linear unit, `max(z, 0)`; its derivative at zero is zero."""
    return nnp.where(nnp.less_equal(z, 0), 0, z)


def _relu_forward(z: Array) -> Array:
    width = z.shape[-1] if z.ndim else 0
    return np.maximum(z, _zeros(width, z.dtype.char) if 0 < width <= _WIDEST else z.dtype.type(0), out=z)


def leaky_relu(z: Array, negative_slope: float = 0.01) -> Array:
    """Leaky rectified linear unit: `z`, or `negative_slope * z` below zero."""
    return nnp.where(nnp.greater(z, 0), z, nnp.multiply(z, negative_slope))


def tanh(z: Array) -> Array:
    """Hyperbolic tangent."""
    return nnp.tanh(z)


def _tanh_backward(g: Array, y: Array, z: Array) -> Array:
    derivative = np.multiply(y, y, out=scratch(y, y.shape))
    np.subtract(1, derivative, out=derivative)
    derivative *= g
    return derivative


@ignoring_underflow
def elu(z: Array, alpha: float = 1.0) -> Array:
    """Exponential linear unit: `z`, or `alpha * (exp(z) - 1)` below zero."""
    above = nnp.greater(z, 0)
    return nnp.where(above, z, nnp.multiply(alpha, nnp.expm1(nnp.where(above, 0, z))))


SELU_SCALE, SELU_SCALE_BELOW = 1.0507009873554804934193349852946, 1.7580993408473766
"""The slope of selu above zero, and that slope times its alpha, 1.6732632423543772848, for the part below."""


@ignoring_underflow
def selu(z: Array) -> Array:
    """Scaled exponential linear unit: `scale * z`, or `scale * alpha * (exp(z) - 1)` below zero.

    `scale` is 1.0507009873554805 and `alpha` 1.6732632423543772 (Klambauer et al. 2017).
    """
    above = nnp.greater(z, 0)
    below = nnp.multiply(SELU_SCALE_BELOW, nnp.expm1(nnp.where(above, 0, z)))
    return nnp.where(above, nnp.multiply(SELU_SCALE, z), below)


def _selu_forward(z: Array) -> Array:
    return np.where(z > 0, SELU_SCALE * z, SELU_SCALE_BELOW * np.expm1(np.minimum(z, 0)))


def _selu_backward(g: Array, y: Array, z: Array) -> Array:
    return np.where(z > 0, g * SELU_SCALE, g * (SELU_SCALE_BELOW * np.exp(np.minimum(z, 0))))


@ignoring_underflow
def celu(z: Array, alpha: float = 1.0) -> Array:
    """Continuously differentiable exponential linear unit: `z`, or `alpha * (exp(z / alpha) - 1)` below zero."""
    if not alpha > 0:
        raise ValueError(f"celu's alpha must be positive, but is {alpha!r}")
    above = nnp.greater(z, 0)
    return nnp.where(above, z, nnp.multiply(alpha, nnp.expm1(nnp.divide(nnp.where(above, 0, z), alpha))))


def softsign(z: Array) -> Array:
    """`z / (1 + abs(z))`."""
    return z / (1 + nnp.abs(z))


def _softsign_backward(g: Array, y: Array, z: Array) -> Array:
    d = 1 + np.abs(z)
    return g / d / d


@ignoring_underflow
def gelu(z: Array, approximate: str = "none") -> Array:
    """Gaussian error linear unit, `z * Phi(z)`; with `approximate="tanh"` by its approximation."""
    return z * (tanh_cdf(z) if by_tanh(approximate) else normal_cdf(z))


def clipped_exp(z: Array, low: float = -20.0, high: float = 2.0) -> Array:
    """Exponential of `z` clipped to `[low, high]`: a standard deviation from the logarithm that a network returns."""
    return nnp.exp(nnp.clip(z, low, high))


def _clipped_exp_backward(g: Array, y: Array, z: Array, low: float, high: float) -> Array:
    return g * y * ((z >= low) & (z <= high))


def by_tanh(approximate: str) -> bool:
    """Return whether an argument of gelu names its approximation."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu's approximate must be 'none' or 'tanh', but is {approximate!r}")
    return approximate == "tanh"


def _gelu_backward(g: Array, y: Array, z: Array, approximate: str) -> Array:
    if not by_tanh(approximate):
        return g * (normal_cdf(z) + z * normal_density(z))
    cdf, rest = tanh_cdf_and_rest(z)
    return g * (cdf + z * (cdf * (rest * v_slope(z))))


FORMULAS = {
    "relu": Formulas(
        relu,
        _relu_forward,
        backward=lambda g, y, z: np.multiply(g, y > 0, out=scratch(g, g.shape)),
        needs_z=False,
        backward_in_place=lambda g, y: np.multiply(g, y > 0, out=g),
    ),
    "leaky_relu": Formulas(
        leaky_relu,
        forward=lambda z, slope: np.where(z > 0, z, z * slope),
        backward=lambda g, y, z, slope: np.where(z > 0, g, g * slope),
        needs_z=True,
    ),
    "tanh": Formulas(tanh, lambda z: np.tanh(z, out=z), _tanh_backward, needs_z=False),
    "sigmoid": Formulas(sigmoid, sigmoid_forward, lambda g, y, z: g * y * (1 - y), needs_z=False),
    "silu": Formulas(silu, lambda z: z * sigmoid_forward(z), silu_backward, needs_z=True),
    "softplus": Formulas(softplus, softplus, softplus_backward, needs_z=True),
    "elu": Formulas(
        elu,
        forward=lambda z, alpha: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        backward=lambda g, y, z, alpha: np.where(z > 0, g, g * (alpha * np.exp(np.minimum(z, 0)))),
        needs_z=True,
    ),
    "selu": Formulas(selu, _selu_forward, _selu_backward, needs_z=True),
    "celu": Formulas(
        celu,
        forward=lambda z, alpha: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha)),
        backward=lambda g, y, z, alpha: np.where(z > 0, g, g * np.exp(np.minimum(z, 0) / alpha)),
        needs_z=True,
    ),
    "softsign": Formulas(softsign, lambda z: z / (1 + np.abs(z)), _softsign_backward, needs_z=True),
    "mish": Formulas(mish, mish_forward, mish_backward, needs_z=True),
    "logsigmoid": Formulas(logsigmoid, logsigmoid_forward, lambda g, y, z: g * sigmoid_forward(-z), needs_z=True),
    "relu6": Formulas(
        relu6,
        forward=lambda z: hardtanh_forward(z, 0, 6),
        backward=lambda g, y, z: hardtanh_backward(g, y, z, 0, 6),
        needs_z=True,
    ),
    "hardtanh": Formulas(hardtanh, hardtanh_forward, hardtanh_backward, needs_z=True),
    "hardsigmoid": Formulas(hardsigmoid, hardsigmoid_forward, hardsigmoid_backward, needs_z=True),
    "hardswish": Formulas(hardswish, lambda z: z * hardsigmoid_forward(z), hardswish_backward, needs_z=True),
    "gelu": Formulas(gelu, gelu, _gelu_backward, needs_z=True),
    "clipped_exp": Formulas(
        clipped_exp,
        forward=lambda z, low, high: np.exp(np.clip(z, low, high)),
        backward=_clipped_exp_backward,
        needs_z=True,
    ),
}

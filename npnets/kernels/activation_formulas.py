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
from npnets.numpy.elementwise import elementwise
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
def sigmoid(z: Array) -> Array:
    """Logistic function, `1 / (1 + exp(-z))`."""
    positive = nnp.greater_equal(z, 0)
    power = nnp.exp(nnp.where(positive, -z, z))  # exp(-|z|), which cannot overflow
    return nnp.where(positive, 1, power) / (1 + power)


def _sigmoid_forward(z: Array) -> Array:
    power = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, power) / (1 + power)


@ignoring_underflow
def silu(z: Array) -> Array:
    """Sigmoid linear unit, `z * sigmoid(z)`, also called swish."""
    return z * sigmoid(z)


def _silu_backward(g: Array, y: Array, z: Array) -> Array:
    s = _sigmoid_forward(z)
    return g * (s + y * (1 - s))


@elementwise(lambda y, z: sigmoid(z))
def _log_one_plus_exp(z: Array) -> Array:
    """`log(1 + exp(z))` of each entry, without overflow; its derivatives of every order have no kink."""
    return np.log1p(np.exp(-np.abs(z))) + np.maximum(z, z.dtype.type(0))


@ignoring_underflow
def softplus(z: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Smooth rectifier, `log(1 + exp(beta * z)) / beta`; `z` where `beta * z` is above `threshold`."""
    scaled = nnp.multiply(z, beta)
    return nnp.where(nnp.greater(scaled, threshold), z, nnp.divide(_log_one_plus_exp(scaled), beta))


def _softplus_backward(g: Array, y: Array, z: Array, beta: float, threshold: float) -> Array:
    scaled = z * beta
    return np.where(scaled > threshold, g, g * _sigmoid_forward(scaled))


@ignoring_underflow
def elu(z: Array, alpha: float = 1.0) -> Array:
    """Exponential linear unit: `z`, or `alpha * (exp(z) - 1)` below zero."""
    above = nnp.greater(z, 0)
    return nnp.where(above, z, nnp.multiply(alpha, nnp.expm1(nnp.where(above, 0, z))))


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
    "sigmoid": Formulas(sigmoid, _sigmoid_forward, lambda g, y, z: g * y * (1 - y), needs_z=False),
    "silu": Formulas(silu, lambda z: z * _sigmoid_forward(z), _silu_backward, needs_z=True),
    "softplus": Formulas(softplus, softplus, _softplus_backward, needs_z=True),
    "elu": Formulas(
        elu,
        forward=lambda z, alpha: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        backward=lambda g, y, z, alpha: np.where(z > 0, g, g * (alpha * np.exp(np.minimum(z, 0)))),
        needs_z=True,
    ),
    "gelu": Formulas(gelu, gelu, _gelu_backward, needs_z=True),
    "clipped_exp": Formulas(
        clipped_exp,
        forward=lambda z, low, high: np.exp(np.clip(z, low, high)),
        backward=_clipped_exp_backward,
        needs_z=True,
    ),
}

"""The logistic function, and the activations that are made of it: sigmoid, silu, softplus, logsigmoid and mish.

Symbols: `y = f(z)`, `g` the cotangent of `y`; a backward returns the cotangent of `z`.
"""

import numpy as np

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.numpy.elementwise import elementwise
from npnets.underflow import ignoring_underflow


@ignoring_underflow
def sigmoid(z: Array) -> Array:
    """Logistic function, `1 / (1 + exp(-z))`."""
    positive = nnp.greater_equal(z, 0)
    power = nnp.exp(nnp.where(positive, -z, z))  # exp(-|z|), which cannot overflow
    return nnp.where(positive, 1, power) / (1 + power)


def sigmoid_forward(z: Array) -> Array:
    """Return `sigmoid` of an array."""
    power = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, power) / (1 + power)


@ignoring_underflow
def silu(z: Array) -> Array:
    """Sigmoid linear unit, `z * sigmoid(z)`, also called swish."""
    return z * sigmoid(z)


def silu_backward(g: Array, y: Array, z: Array) -> Array:
    """Return `g (s + z s (1 - s))` with `s = sigmoid(z)`."""
    s = sigmoid_forward(z)
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


def softplus_backward(g: Array, y: Array, z: Array, beta: float, threshold: float) -> Array:
    """Return `g` above the threshold, else `g * sigmoid(beta * z)`."""
    scaled = z * beta
    return np.where(scaled > threshold, g, g * sigmoid_forward(scaled))


@ignoring_underflow
def logsigmoid(z: Array) -> Array:
    """Logarithm of the logistic function, `-log(1 + exp(-z))`."""
    return -_log_one_plus_exp(-z)


def logsigmoid_forward(z: Array) -> Array:
    """Return `logsigmoid` of an array."""
    return np.minimum(z, z.dtype.type(0)) - np.log1p(np.exp(-np.abs(z)))


@ignoring_underflow
def mish(z: Array) -> Array:
    """`z * tanh(log(1 + exp(z)))` (Misra 2019)."""
    return z * nnp.tanh(_log_one_plus_exp(z))


# With e = exp(-|z|) and p = exp(z): tanh(log(1 + p)) = n / d, where n = p (p + 2) and d = n + 2. Above zero both are
# multiplied by e e, so that nothing overflows.


def _mish_parts(z: Array) -> tuple[Array, Array, Array]:
    e = np.exp(-np.abs(z))
    n = np.where(z < 0, e * (e + 2), 1 + 2 * e)
    return e, n, n + np.where(z < 0, z.dtype.type(2), 2 * e * e)


def mish_forward(z: Array) -> Array:
    """Return `mish` of an array."""
    _, n, d = _mish_parts(z)
    return z * (n / d)


def mish_backward(g: Array, y: Array, z: Array) -> Array:
    """Return `g (t + z (1 - t t) sigmoid(z))` with `t = n / d`."""
    e, n, d = _mish_parts(z)
    rest = 4 * (1 + e) * np.where(z < 0, e, e * e) / (d * d)
    return g * (n / d + z * rest)

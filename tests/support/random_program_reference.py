"""The functions of programs in plain NumPy and SciPy: the scope in which they run without npnets.

Derivatives inside a program are steps of size `1e-30` into the complex plane: exact to the last bits, for those
functions that NumPy knows there.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import scipy.special


def _sigmoid(z: Any) -> Any:
    return scipy.special.expit(z)


def _gelu(z: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * z * (1 + numpy.tanh(numpy.sqrt(2 / numpy.pi) * (z + 0.044715 * z**3)))
    return z * scipy.special.ndtr(z)


ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda z: numpy.maximum(z, 0),
    "leaky_relu": lambda z, slope=0.01: numpy.where(numpy.greater(z, 0), z, numpy.multiply(z, slope)),
    "tanh": numpy.tanh,
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "softplus": lambda z, beta=1.0, threshold=20.0: numpy.logaddexp(0, numpy.multiply(z, beta)) / beta,
    "elu": lambda z, alpha=1.0: numpy.where(numpy.greater(z, 0), z, alpha * numpy.expm1(numpy.minimum(z, 0))),
    "gelu": _gelu,
    "selu": lambda z: 1.0507009873554805 * numpy.where(z > 0, z, 1.6732632423543772 * numpy.expm1(numpy.minimum(z, 0))),
    "celu": lambda z, alpha=1.0: numpy.where(z > 0, z, alpha * numpy.expm1(numpy.minimum(z, 0) / alpha)),
    "softsign": lambda z: z / (1 + numpy.absolute(z)),
    "mish": lambda z: z * numpy.tanh(numpy.logaddexp(0, z)),
    "logsigmoid": lambda z: -numpy.logaddexp(0, -z),
    "relu6": lambda z: numpy.clip(z, 0, 6),
    "hardtanh": lambda z: numpy.clip(z, -1, 1),
    "hardsigmoid": lambda z: numpy.clip(z + 3, 0, 6) / 6,
    "hardswish": lambda z: z * numpy.clip(z + 3, 0, 6) / 6,
}


class _Activation(NamedTuple):
    name: str
    args: tuple[Any, ...] = ()

    def __call__(self, z: Any) -> Any:
        return ACTIVATIONS[self.name](z, *self.args)


def _linear_layers(x: Any, parameters: Any, activations: Any) -> Any:
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        x = numpy.matmul(x, weight) + (0.0 if bias is None else bias)
        x = x if activation is None else activation(x)
    return x


def _log_density(x: Any, mu: Any, sigma: Any) -> Any:
    entries = -0.5 * ((x - mu) / sigma) ** 2 - numpy.log(sigma) - 0.5 * numpy.log(2 * numpy.pi)
    return numpy.sum(entries, axis=-1)


class _Gaussian(NamedTuple):
    mu: Any
    sigma: Any

    def log_prob(self, x: Any) -> Any:
        return _log_density(x, self.mu, self.sigma)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    above = x if low is None else numpy.maximum(x, low)
    return above if high is None else numpy.minimum(above, high)


def _grad(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the gradient of a function of one array."""

    def gradient(x: Any) -> Any:
        x = numpy.asarray(x)
        fun(x)  # to be refused as it is in the derivative, if there is no entry to take a step in
        slopes = numpy.empty(x.shape)
        for index in numpy.ndindex(x.shape):
            point = x.astype(complex)
            point[index] += 1e-30j
            slopes[index] = numpy.imag(fun(point)) / 1e-30
        return slopes

    return gradient


def _jvp(fun: Callable[[Any], Any], x: Any, v: Any) -> tuple[Any, Any]:
    return fun(x), numpy.imag(fun(x + 1e-30j * v)) / 1e-30


def _vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    return fun(x), lambda cotangent: _grad(lambda t: numpy.sum(fun(t) * cotangent))(x)


def _masked_sum(x: Any, mask: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return numpy.sum(numpy.where(mask, x, 0), axis=axis, keepdims=keepdims)


def _masked_mean(x: Any, mask: Any, axis: Any = None, keepdims: bool = False) -> Any:
    number = numpy.sum(numpy.broadcast_to(mask, numpy.shape(x)), axis=axis, keepdims=keepdims)
    return _masked_sum(x, mask, axis, keepdims) / numpy.maximum(number, 1)


def _squash(z: Any, max_action: Any) -> Any:
    return numpy.multiply(max_action, numpy.tanh(z))


_DIFFERENT = {
    "erf": scipy.special.erf,
    "logsumexp": lambda x, axis=None, keepdims=False: numpy.log(numpy.sum(numpy.exp(x), axis=axis, keepdims=keepdims)),
    "softmax": lambda x, axis=-1: scipy.special.softmax(x, axis),
    "clip": _clip,
    "masked_sum": _masked_sum,
    "masked_mean": _masked_mean,
    "astype": lambda x, dtype: numpy.asarray(x).astype(dtype),
    "float32": numpy.float64,  # the oracle rounds nothing to float32
}
SCOPE: dict[str, Any] = {
    "np": types.SimpleNamespace(**{**vars(numpy), **_DIFFERENT}),
    "numpy": numpy,
    "copy": copy,
    "functional": types.SimpleNamespace(**ACTIVATIONS, squash=_squash, softmax=_DIFFERENT["softmax"]),
    "Gaussian": _Gaussian,
    "Activation": _Activation,
    "linear_layers": _linear_layers,
    "log_density": _log_density,
    "grad": _grad,
    "jvp": _jvp,
    "vjp": _vjp,
    "stop_gradient": lambda x: x,
}

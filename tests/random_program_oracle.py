"""What random programs are held against: their values and derivatives by plain NumPy in float64, without npnets.

Derivatives are central differences with one step of Richardson's extrapolation. A difference is meaningless at a kink
and useless where its step is too long: `Difference.reliable` says whether two step sizes, and the differences to the
left and to the right, agree with each other; it knows nothing of the derivative that is judged. What a program takes
for a constant by `stop_gradient` keeps its value while the inputs are varied.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import scipy.special
from random_program_source import Outputs, Program, Tree, cast

import npnets

STEP = 2.0**-9
_AGREE = 1e-3


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
}


def _activate(z: Any, name: str, args: tuple[Any, ...] = ()) -> Any:
    return ACTIVATIONS[name](z, *args)


def _linear_layers(x: Any, parameters: Any, activations: Any) -> Any:
    for weight, bias, activation in zip(parameters[::2], parameters[1::2], activations, strict=True):
        x = numpy.matmul(x, weight) + (0.0 if bias is None else bias)
        x = x if activation is None else _activate(x, activation[0], activation[1:])
    return x


def _log_density(x: Any, mu: Any, sigma: Any) -> Any:
    entries = -0.5 * ((x - mu) / sigma) ** 2 - numpy.log(sigma) - 0.5 * numpy.log(2 * numpy.pi)
    return numpy.sum(entries, axis=-1)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    above = x if low is None else numpy.maximum(x, low)
    return above if high is None else numpy.minimum(above, high)


def _grad(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the gradient of a function of one array, by steps into the complex plane: exact to the last bits."""

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
SCOPE = {
    "np": types.SimpleNamespace(**{**vars(numpy), **_DIFFERENT}),
    "numpy": numpy,
    "copy": copy,
    "functional": types.SimpleNamespace(**ACTIVATIONS, squash=_squash, softmax=_DIFFERENT["softmax"]),
    "activate": _activate,
    "linear_layers": _linear_layers,
    "log_density": _log_density,
    "grad": _grad,
    "jvp": _jvp,
    "vjp": _vjp,
    "stop_gradient": lambda x: x,
}


class Difference(NamedTuple):
    """A derivative by differences, and how far two step sizes, and the two sides, are from agreeing on it."""

    value: float
    error: float

    @property
    def reliable(self) -> bool:
        """Whether the difference means something here: at a kink or too close to a pole it does not."""
        return bool(self.error < _AGREE * (1 + abs(self.value)))  # False for NaN too


class Oracle:
    """A program's outputs at its inputs, and derivatives there of `sum(weights * (y + y * y / 2))` over outputs `y`."""

    def __init__(self, program: Program) -> None:
        self._stopped: list[Any] = []
        self._run = program.function({**SCOPE, "stop_gradient": self._stop})
        self._inputs = cast(program.tree(), numpy.float64)
        self.outputs = self._outputs(self._inputs)
        self._replayed = list(self._stopped)
        rng = numpy.random.default_rng(program.seed)
        self.weights = [rng.uniform(0.5, 1.5, numpy.shape(y)) for y in self.outputs.real]
        self.value = self._loss(self.outputs)

    def _stop(self, x: Any) -> Any:
        if hasattr(self, "value"):
            return self._stopped.pop(0)
        self._stopped.append(x)
        return x

    def _outputs(self, inputs: Tree) -> Outputs:
        with numpy.errstate(all="ignore"):
            return self._run(inputs)

    def _loss(self, outputs: Outputs) -> float:
        return float(sum(numpy.sum(w * (y + y * y / 2)) for w, y in zip(self.weights, outputs.real, strict=True)))

    def at(self, *moves: tuple[float, Tree]) -> float:
        """Return the weighted sum with the inputs moved by steps in some directions."""
        x = self._inputs
        for step, v in moves:
            x = npnets.tree.map(lambda p, q, step=step: p + step * q, x, v)
        self._stopped = list(self._replayed)
        return self._loss(self._outputs(x))

    def derivative(self, v: Tree) -> Difference:
        """Return the derivative in a direction."""

        def sides(h: float) -> tuple[float, float]:
            ahead, behind = self.at((h, v)), self.at((-h, v))
            return (ahead - behind) / (2 * h), (ahead - 2 * self.value + behind) / h

        return _extrapolated(sides)

    def second_derivative(self, u: Tree, v: Tree) -> Difference:
        """Return the mixed derivative in two directions."""

        def sides(h: float) -> tuple[float, float]:
            along_u, along_v = [self.at((s * h, u)) for s in (1, -1)], [self.at((s * h, v)) for s in (1, -1)]
            corners = {(s, t): self.at((s * h, u), (t * h, v)) for s in (1, -1) for t in (1, -1)}
            central = (corners[1, 1] - corners[1, -1] - corners[-1, 1] + corners[-1, -1]) / (4 * h * h)
            ahead = corners[1, 1] - along_u[0] - along_v[0] + self.value
            behind = corners[-1, -1] - along_u[1] - along_v[1] + self.value
            return central, (ahead - behind) / (h * h)

        return _extrapolated(sides)


def _extrapolated(sides: Callable[[float], tuple[float, float]]) -> Difference:
    """Extrapolate a central difference to a step of zero.

    `sides` returns the central difference and the jump between the right one and the left one. Without a kink the
    first changes with the square of the step only, and the second is in proportion to the step.
    """
    (coarse, wide), (fine, narrow) = sides(STEP), sides(STEP / 2)
    return Difference((4 * fine - coarse) / 3, abs(fine - coarse) + abs(narrow - wide / 2))

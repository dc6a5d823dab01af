"""Networks that each violate one law of gradients: wrong, stopped, zero or infinite derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from faulty_networks import OUT, Policy

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused, stop_gradient

_DOUBLED_PAIR = Pair(lambda z: (np.tanh(z),) * 2, lambda g, y, argnums, z: (2 * g * (1 - y * y),))
_DOUBLED = fused(nnp.tanh, cpu=_DOUBLED_PAIR, gpu=_DOUBLED_PAIR)


class DoubledGradient(Policy):
    def output(self, z: Any) -> Any:
        return _DOUBLED(z)


class DetachedBias(Policy):
    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + stop_gradient(params["bias"])


class DetachedInputs(Policy):
    def converted(self, params: Any, obs: Any) -> Any:
        return stop_gradient(super().converted(params, obs))


class WrittenInNumPy(Policy):
    def output(self, z: Any) -> Any:
        return np.array([[float(entry) for entry in row] for row in z], z.dtype)


class IgnoresItsParameters(Policy):
    def linear(self, params: Any, x: Any) -> Any:
        return x[:, :OUT]


class IgnoresActions(npnets.Critic):
    def forward(self, params: Any, obs: Any, act: Any = None, info: Any = None) -> Any:
        return super().forward(params, obs, act * 0)


class Saturated(Policy):
    def output(self, z: Any) -> Any:
        return nnp.clip(z + 1e9, -1, 1)


class KinkedNorm(Policy):
    def converted(self, params: Any, obs: Any) -> Any:
        x = super().converted(params, obs)
        return x * nnp.sqrt(nnp.sum(x * x, axis=1, keepdims=True) / 1e6)


def _doubled_in_single(g: Any, y: Any, argnums: Any, z: Any) -> Any:
    return (g * (1 - y * y) * (2 if z.dtype == np.float32 else 1),)


_DOUBLED_IN_SINGLE_PAIR = Pair(lambda z: (np.tanh(z),) * 2, _doubled_in_single)
_DOUBLED_IN_SINGLE = fused(nnp.tanh, cpu=_DOUBLED_IN_SINGLE_PAIR, gpu=_DOUBLED_IN_SINGLE_PAIR)


class DoubledInSingle(Policy):
    def output(self, z: Any) -> Any:
        return _DOUBLED_IN_SINGLE(z)

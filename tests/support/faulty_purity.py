"""Networks that each violate one law of purity: they change arguments, keep values or use global random state."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faulty_networks import OUT, Policy

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused


class InPlaceAtThree(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        if len(obs) == 3 and isinstance(obs, np.ndarray):
            obs -= 1
        return super().forward(params, obs, state)


class PutsIntoParams(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        params["calls"] = params["bias"]
        return super().forward(params, obs, state)


def _composition(x: Any, weight: Any) -> Any:
    return nnp.matmul(x, weight)


_PAIR = Pair(
    lambda x, weight: (x @ weight, x),
    lambda g, x, argnums, *args: tuple((g @ args[1].T, x.T @ g)[argnum] for argnum in argnums),
)
product_without_copy = fused(_composition, cpu=_PAIR, gpu=_PAIR)
"""A matrix product whose backward pass reads the input array itself."""


class KeepsItsInput(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        x = obs if obs.dtype == params["weight"].dtype else obs.astype(params["weight"].dtype)
        return self.output(product_without_copy(x, params["weight"]) + params["bias"]), state


SCRATCH: dict[Any, Any] = {}


class SharesABuffer(Policy):
    def output(self, z: Any) -> Any:
        if npnets.autodiff.is_traced(z):
            return nnp.tanh(z)
        buffer = SCRATCH.setdefault((z.shape, z.dtype), np.empty_like(z))
        buffer[...] = z
        np.tanh(buffer, out=buffer)
        return buffer.copy()


class GlobalNoise(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z + 0.01 * np.random.normal())


class PythonsNoise(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z + random.random())


class GlobalInit(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {**super().init(rng, dtype), "bias": np.random.normal(size=OUT).astype(dtype)}


class SeedsTheGlobal(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        np.random.seed(0)
        return super().init(rng, dtype)


class OwnSeed(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return super().init(np.random.default_rng(0), dtype)


@dataclass(frozen=True)
class Remembering(Policy):
    """A correct network with a dict, which the variants below write to."""

    memory: dict[Any, Any] = field(default_factory=dict, compare=False)


class CachesByBatch(Remembering):
    def output(self, z: Any) -> Any:
        return self.memory.setdefault(len(z), nnp.tanh(z))


class CountsCalls(Remembering):
    def output(self, z: Any) -> Any:
        self.memory["calls"] = self.memory.get("calls", 0) + 1
        return nnp.tanh(z / self.memory["calls"])


class ReusesItsOutput(Remembering):
    def output(self, z: Any) -> Any:
        out = self.memory.setdefault(z.shape, np.empty(z.shape, z.dtype))
        out[...] = nnp.tanh(z)
        return out


class DrawsOnce(Remembering):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return npnets.tree.map(lambda x: x.astype(dtype), self.memory.setdefault("params", super().init(rng, dtype)))

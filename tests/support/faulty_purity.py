"""Networks that each break one law of purity: they change, keep or draw what they should not."""

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


def _by_product(x: Any, weight: Any) -> Any:
    return nnp.matmul(x, weight)


_PRODUCT_PAIR = Pair(
    lambda x, weight: (x @ weight, x),
    lambda g, x, argnums, *args: tuple((g @ args[1].T, x.T @ g)[argnum] for argnum in argnums),
)
KeptProduct = fused(_by_product, cpu=_PRODUCT_PAIR, gpu=_PRODUCT_PAIR)
"""A product whose backward pass reads the very array that came in."""


class KeepsItsInput(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        x = obs if obs.dtype == params["weight"].dtype else obs.astype(params["weight"].dtype)
        return self.answer(KeptProduct(x, params["weight"]) + params["bias"]), state


SCRATCH: dict[Any, Any] = {}


class SharesABuffer(Policy):
    def answer(self, z: Any) -> Any:
        if npnets.autodiff.is_traced(z):
            return nnp.tanh(z)
        buffer = SCRATCH.setdefault((z.shape, z.dtype), np.empty_like(z))
        buffer[...] = z
        np.tanh(buffer, out=buffer)
        return buffer.copy()


class GlobalNoise(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z + 0.01 * np.random.normal())


class PythonsNoise(Policy):
    def answer(self, z: Any) -> Any:
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
    """A network with something that it can write to; sound as long as it does not."""

    kept: dict[Any, Any] = field(default_factory=dict, compare=False)


class CachesByBatch(Remembering):
    def answer(self, z: Any) -> Any:
        return self.kept.setdefault(len(z), nnp.tanh(z))


class CountsCalls(Remembering):
    def answer(self, z: Any) -> Any:
        self.kept["calls"] = self.kept.get("calls", 0) + 1
        return nnp.tanh(z / self.kept["calls"])


class UsesItsAnswerAgain(Remembering):
    def answer(self, z: Any) -> Any:
        out = self.kept.setdefault(z.shape, np.empty(z.shape, z.dtype))
        out[...] = nnp.tanh(z)
        return out


class DrawsOnce(Remembering):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return npnets.tree.map(lambda x: x.astype(dtype), self.kept.setdefault("params", super().init(rng, dtype)))

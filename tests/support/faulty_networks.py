"""Networks without a memory that each break one law of answers or rows, beside the sound ones that they are made from.

A fault is as small as the mistakes that people make: one line in `init`, `forward` or a part of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import npnets
import npnets.numpy as nnp

OBS, OUT = 4, 3


@dataclass(frozen=True)
class Policy:
    """A sound network: a linear layer and a tanh."""

    state_shape: int = OBS
    output_dim: int = OUT

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        drawn = {"weight": rng.normal(size=(OBS, OUT)), "bias": 0.1 * rng.normal(size=OUT)}
        return {name: value.astype(dtype) for name, value in drawn.items()}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.answer(self.linear(params, self.brought(params, obs))), state

    def brought(self, params: Any, obs: Any) -> Any:
        return obs.astype(params["weight"].dtype)

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"]

    def answer(self, z: Any) -> Any:
        return nnp.tanh(z)


# -- answers ----------------------------------------------------------------------------------------------------------


class SqueezedAtOne(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.reshape(nnp.tanh(z), (OUT,)) if len(z) == 1 else nnp.tanh(z)


class CrashesAtOne(Policy):
    def answer(self, z: Any) -> Any:
        if len(z) == 1:
            raise IndexError("no second row")
        return nnp.tanh(z)


class WithoutAPair(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return super().forward(params, obs)[0]


class CastsToDouble(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z).astype(np.float64)


class KeepsTheInputsDtype(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        return obs


class InitialDouble(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {**super().init(rng, dtype), "bias": rng.normal(size=OUT)}

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"].astype(x.dtype)


class Overflows(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.exp(z) / (1 + nnp.exp(z))


class DividesByTheNorm(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        x = super().brought(params, obs)
        return x / nnp.sqrt(nnp.sum(x * x, axis=1, keepdims=True))


@dataclass(frozen=True)
class Bounded(Policy):
    """A sound network with a bound."""

    max_action: float = 0.3

    def answer(self, z: Any) -> Any:
        return npnets.functional.squash(z, self.max_action)


class Unsquashed(Bounded):
    def answer(self, z: Any) -> Any:
        return z


class BeyondByARounding(Bounded):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z) * (self.max_action * (1 + 1e-7))


@dataclass(frozen=True)
class Gaussian(Policy):
    """A sound network that answers with a mean and a deviation."""

    conditioned_sigma: bool = True

    def answer(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.exp(nnp.clip(z, -20, 2))


class NegativeSigma(Gaussian):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.tanh(z)


class WideSigma(Gaussian):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.exp(nnp.clip(z, -20, 3))


@dataclass(frozen=True)
class CrashesOnce(Policy):
    """Not sound, and not the same twice: what it counts lies outside of it, where no copy is made of it."""

    calls: Counter = field(default_factory=Counter, compare=False)

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def answer(self, z: Any) -> Any:
        self.calls["answer"] += 1
        if self.calls["answer"] == 7:
            raise RuntimeError("the seventh call")
        return nnp.tanh(z)


# -- rows -------------------------------------------------------------------------------------------------------------


class SubtractsTheMean(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        x = super().brought(params, obs)
        return x - nnp.mean(x, axis=0)


class TurnsTheBatch(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z)[::-1]


class SpreadsNan(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z) + 0 * nnp.mean(z)


class DropsRowsBeyondSix(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.tanh(z[:6] if len(z) > 5 else z)


class ForgetsRowsBeyondSix(Policy):
    def answer(self, z: Any) -> Any:
        return nnp.where(np.arange(len(z))[:, None] < 6, nnp.tanh(z), 0)


# -- init and descriptions that the kit must read ---------------------------------------------------------------------


class FailsToInit(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        raise RuntimeError("no file of weights")


class InitialLists(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {name: value.tolist() for name, value in super().init(rng, dtype).items()}


class InitialNone(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        super().init(rng, dtype)

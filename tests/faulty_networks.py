"""Networks without a memory that each break one law, beside the sound ones that they are made from.

A fault is as small as the mistakes that people make: one line in `init`, `forward` or a part of them.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as onp

import npnets
import npnets.numpy as np
from npnets.autodiff import fused, stop_gradient

OBS, OUT = 4, 3


@dataclass(frozen=True)
class Policy:
    """A sound network: a linear layer and a tanh."""

    state_shape: int = OBS
    output_dim: int = OUT

    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        drawn = {"weight": rng.normal(size=(OBS, OUT)), "bias": 0.1 * rng.normal(size=OUT)}
        return {name: value.astype(dtype) for name, value in drawn.items()}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.answer(self.linear(params, self.brought(params, obs))), state

    def brought(self, params: Any, obs: Any) -> Any:
        return obs.astype(params["weight"].dtype)

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"]

    def answer(self, z: Any) -> Any:
        return np.tanh(z)


# -- answers ----------------------------------------------------------------------------------------------------------


class SqueezedAtOne(Policy):
    def answer(self, z: Any) -> Any:
        return np.reshape(np.tanh(z), (OUT,)) if len(z) == 1 else np.tanh(z)


class CrashesAtOne(Policy):
    def answer(self, z: Any) -> Any:
        if len(z) == 1:
            raise IndexError("no second row")
        return np.tanh(z)


class WithoutAPair(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return super().forward(params, obs)[0]


class CastsToDouble(Policy):
    def answer(self, z: Any) -> Any:
        return np.tanh(z).astype(onp.float64)


class KeepsTheInputsDtype(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        return obs


class InitialDouble(Policy):
    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        return {**super().init(rng, dtype), "bias": rng.normal(size=OUT)}

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"].astype(x.dtype)


class Overflows(Policy):
    def answer(self, z: Any) -> Any:
        return np.exp(z) / (1 + np.exp(z))


class DividesByTheNorm(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        x = super().brought(params, obs)
        return x / np.sqrt(np.sum(x * x, axis=1, keepdims=True))


@dataclass(frozen=True)
class Bounded(Policy):
    """A sound network with a bound."""

    max_action: float = 0.3

    def answer(self, z: Any) -> Any:
        return self.max_action * np.tanh(z)


class Unsquashed(Bounded):
    def answer(self, z: Any) -> Any:
        return z


class BeyondByARounding(Bounded):
    def answer(self, z: Any) -> Any:
        return np.tanh(z) * (self.max_action * (1 + 1e-7))


@dataclass(frozen=True)
class Gaussian(Policy):
    """A sound network that answers with a mean and a deviation."""

    conditioned_sigma: bool = True

    def answer(self, z: Any) -> Any:
        return np.tanh(z), np.exp(np.clip(z, -20, 2))


class NegativeSigma(Gaussian):
    def answer(self, z: Any) -> Any:
        return np.tanh(z), np.tanh(z)


class WideSigma(Gaussian):
    def answer(self, z: Any) -> Any:
        return np.tanh(z), np.exp(np.clip(z, -20, 3))


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
        return np.tanh(z)


# -- purity -----------------------------------------------------------------------------------------------------------


class InPlaceAtThree(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        if len(obs) == 3 and isinstance(obs, onp.ndarray):
            obs -= 1
        return super().forward(params, obs, state)


class PutsIntoParams(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        params["calls"] = params["bias"]
        return super().forward(params, obs, state)


class GlobalNoise(Policy):
    def answer(self, z: Any) -> Any:
        return np.tanh(z + 0.01 * onp.random.normal())


class PythonsNoise(Policy):
    def answer(self, z: Any) -> Any:
        return np.tanh(z + random.random())


class GlobalInit(Policy):
    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        return {**super().init(rng, dtype), "bias": onp.random.normal(size=OUT).astype(dtype)}


class SeedsTheGlobal(Policy):
    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        onp.random.seed(0)
        return super().init(rng, dtype)


class OwnSeed(Policy):
    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        return super().init(onp.random.default_rng(0), dtype)


@dataclass(frozen=True)
class Remembering(Policy):
    """A network with something that it can write to; sound as long as it does not."""

    kept: dict[Any, Any] = field(default_factory=dict, compare=False)


class CachesByBatch(Remembering):
    def answer(self, z: Any) -> Any:
        return self.kept.setdefault(len(z), np.tanh(z))


class CountsCalls(Remembering):
    def answer(self, z: Any) -> Any:
        self.kept["calls"] = self.kept.get("calls", 0) + 1
        return np.tanh(z / self.kept["calls"])


class UsesItsAnswerAgain(Remembering):
    def answer(self, z: Any) -> Any:
        out = self.kept.setdefault(z.shape, onp.empty(z.shape, z.dtype))
        out[...] = np.tanh(z)
        return out


class DrawsOnce(Remembering):
    def init(self, rng: Any, dtype: Any = onp.float32) -> Any:
        return npnets.tree.map(lambda x: x.astype(dtype), self.kept.setdefault("params", super().init(rng, dtype)))


# -- descriptions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfALambda(Policy):
    activation: Any = field(default_factory=lambda: lambda z: np.tanh(z))

    def answer(self, z: Any) -> Any:
        return self.activation(z)


@dataclass(frozen=True)
class LosesItsScale(Policy):
    scale: float = 2.0

    def answer(self, z: Any) -> Any:
        return np.tanh(z) * self.__dict__.get("scale", 1.0)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.state_shape, self.output_dim, 1.0)

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)(self.state_shape, self.output_dim, self.scale)


@dataclass(frozen=True, eq=False)
class ByIdentity(Policy):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class HashedByIdentity(Policy):
    __hash__ = object.__hash__


class EqualToAll(Policy):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Policy.__hash__


# -- rows -------------------------------------------------------------------------------------------------------------


class SubtractsTheMean(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        x = super().brought(params, obs)
        return x - np.mean(x, axis=0)


class TurnsTheBatch(Policy):
    def answer(self, z: Any) -> Any:
        return np.tanh(z)[::-1]


class SpreadsNan(Policy):
    def answer(self, z: Any) -> Any:
        return np.tanh(z) + 0 * np.mean(z)


# -- gradients --------------------------------------------------------------------------------------------------------

_DOUBLED = fused(np.tanh, lambda z: (onp.tanh(z),) * 2, lambda g, y, wanted, z: (2 * g * (1 - y * y),))


class DoubledGradient(Policy):
    def answer(self, z: Any) -> Any:
        return _DOUBLED(z)


class DetachedBias(Policy):
    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + stop_gradient(params["bias"])


class DetachedInputs(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        return stop_gradient(super().brought(params, obs))


class WrittenInNumPy(Policy):
    def answer(self, z: Any) -> Any:
        return onp.array([[float(entry) for entry in row] for row in z], z.dtype)


class IgnoresItsParameters(Policy):
    def linear(self, params: Any, x: Any) -> Any:
        return x[:, :OUT]


class Saturated(Policy):
    def answer(self, z: Any) -> Any:
        return np.clip(z + 1e9, -1, 1)


class KinkedNorm(Policy):
    def brought(self, params: Any, obs: Any) -> Any:
        x = super().brought(params, obs)
        return x * np.sqrt(np.sum(x * x, axis=1, keepdims=True) / 1e6)

"""Networks without a memory: correct ones, and variants of them that each violate one law of outputs or rows.

Each fault is as small as the mistakes that people make: one line in `init`, `forward` or a part of them.
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
    """A correct network: a linear layer and a tanh."""

    state_shape: int = OBS
    output_dim: int = OUT

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        drawn = {"weight": rng.normal(size=(OBS, OUT)), "bias": 0.1 * rng.normal(size=OUT)}
        return {name: value.astype(dtype) for name, value in drawn.items()}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.output(self.linear(params, self.converted(params, obs))), state

    def converted(self, params: Any, obs: Any) -> Any:
        return obs.astype(params["weight"].dtype)

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"]

    def output(self, z: Any) -> Any:
        return nnp.tanh(z)


# -- outputs ----------------------------------------------------------------------------------------------------------


class SqueezedAtOne(Policy):
    def output(self, z: Any) -> Any:
        return nnp.reshape(nnp.tanh(z), (OUT,)) if len(z) == 1 else nnp.tanh(z)


class CrashesAtOne(Policy):
    def output(self, z: Any) -> Any:
        if len(z) == 1:
            raise IndexError("no second row")
        return nnp.tanh(z)


class WithoutAPair(Policy):
    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return super().forward(params, obs)[0]


class CastsToDouble(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z).astype(np.float64)


class KeepsTheInputsDtype(Policy):
    def converted(self, params: Any, obs: Any) -> Any:
        return obs


class InitialDouble(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {**super().init(rng, dtype), "bias": rng.normal(size=OUT)}

    def linear(self, params: Any, x: Any) -> Any:
        return x @ params["weight"] + params["bias"].astype(x.dtype)


class Overflows(Policy):
    def output(self, z: Any) -> Any:
        return nnp.exp(z) / (1 + nnp.exp(z))


class DividesByTheNorm(Policy):
    def converted(self, params: Any, obs: Any) -> Any:
        x = super().converted(params, obs)
        return x / nnp.sqrt(nnp.sum(x * x, axis=1, keepdims=True))


@dataclass(frozen=True)
class Bounded(Policy):
    """A correct network with a bound."""

    max_action: float = 0.3

    def output(self, z: Any) -> Any:
        return npnets.functional.squash(z, self.max_action)


class Unsquashed(Bounded):
    def output(self, z: Any) -> Any:
        return z


@dataclass(frozen=True)
class BoundedByAnInterval(Policy):
    """A correct network with `low` and `high`."""

    low: float = 0.1
    high: float = 0.3

    def output(self, z: Any) -> Any:
        return npnets.functional.squash(z, low=self.low, high=self.high)


class BelowLow(BoundedByAnInterval):
    def output(self, z: Any) -> Any:
        return self.high * nnp.tanh(z)


class BeyondByARounding(Bounded):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z) * (self.max_action * (1 + 1e-7))


@dataclass(frozen=True)
class Gaussian(Policy):
    """A correct network that returns a mean and a standard deviation."""

    conditioned_sigma: bool = True

    def output(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.exp(nnp.clip(z, -20, 2))


class NegativeSigma(Gaussian):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.tanh(z)


class WideSigma(Gaussian):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z), nnp.exp(nnp.clip(z, -20, 3))


@dataclass(frozen=True)
class CrashesOnce(Policy):
    """Fails in one call only: copies of the network share its counter of calls."""

    calls: Counter = field(default_factory=Counter, compare=False)

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def output(self, z: Any) -> Any:
        self.calls["output"] += 1
        if self.calls["output"] == 7:
            raise RuntimeError("the seventh call")
        return nnp.tanh(z)


# -- rows -------------------------------------------------------------------------------------------------------------


class SubtractsTheMean(Policy):
    def converted(self, params: Any, obs: Any) -> Any:
        x = super().converted(params, obs)
        return x - nnp.mean(x, axis=0)


class TurnsTheBatch(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z)[::-1]


class SpreadsNan(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z) + 0 * nnp.mean(z)


class DropsRowsBeyondSix(Policy):
    def output(self, z: Any) -> Any:
        return nnp.tanh(z[:6] if len(z) > 5 else z)


class ForgetsRowsBeyondSix(Policy):
    def output(self, z: Any) -> Any:
        return nnp.where(np.arange(len(z))[:, None] < 6, nnp.tanh(z), 0)


# -- init -------------------------------------------------------------------------------------------------------------


class FailsToInit(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        raise RuntimeError("no file of weights")


class InitialLists(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {name: value.tolist() for name, value in super().init(rng, dtype).items()}


class InitialNone(Policy):
    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        super().init(rng, dtype)

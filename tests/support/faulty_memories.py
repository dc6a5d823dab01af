"""Recurrent networks: a correct one, and variants of it that each violate one law of states or sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import Pair, fused, stop_gradient

OBS, OUT = 4, 3


@dataclass(frozen=True)
class Memory:
    """A correct recurrent network, which takes sequences with lengths and resets, or single steps."""

    state_shape: int = OBS
    output_dim: int = OUT

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        drawn = {"weight": rng.normal(size=(OBS, OUT)), "back": rng.normal(size=(OUT, OUT)) / 2}
        return {name: value.astype(dtype) for name, value in drawn.items()}

    def forward(
        self,
        params: Any,
        obs: Any,
        state: Any = None,
        *,
        lengths: Any = None,
        resets: Any = None,
        all_steps: Any = False,
    ) -> Any:
        x = obs.astype(params["weight"].dtype)
        x = x if x.ndim == 3 else x[:, None]
        hidden = self.start(params, x) if state is None else self.entering(state["hidden"])
        hidden, outputs = hidden.astype(x.dtype), []
        for t in self.order(x.shape[1]):
            before = hidden if resets is None else self.reset(hidden, np.asarray(resets)[:, t, None])
            hidden = self.step(params, x[:, t], before)
            if lengths is not None:
                hidden = self.masked(np.asarray(lengths)[:, None] > t, hidden, before)
            outputs.append(hidden)
        output = nnp.stack(outputs, 1) if all_steps else hidden
        return output, {"hidden": self.leaving(hidden, state)}

    def start(self, params: Any, x: Any) -> Any:
        return np.zeros((len(x), OUT), x.dtype)

    def entering(self, hidden: Any) -> Any:
        return hidden

    def order(self, steps: int) -> Any:
        return range(steps)

    def reset(self, hidden: Any, reset: Any) -> Any:
        return nnp.where(reset, 0, hidden)

    def step(self, params: Any, x: Any, hidden: Any) -> Any:
        return nnp.tanh(x @ params["weight"] + hidden @ params["back"])

    def masked(self, valid: Any, hidden: Any, before: Any) -> Any:
        return nnp.where(valid, hidden, before)

    def leaving(self, hidden: Any, state: Any) -> Any:
        return hidden


class WritesIntoTheState(Memory):
    def entering(self, hidden: Any) -> Any:
        if isinstance(hidden, np.ndarray):
            hidden *= 0.5
        return hidden


class DoubleState(Memory):
    def leaving(self, hidden: Any, state: Any) -> Any:
        return hidden.astype(np.float64)


class GrowingState(Memory):
    def entering(self, hidden: Any) -> Any:
        return hidden[:, -OUT:]

    def leaving(self, hidden: Any, state: Any) -> Any:
        return hidden if state is None else nnp.concatenate([state["hidden"], hidden], 1)


class MixesStates(Memory):
    def entering(self, hidden: Any) -> Any:
        return hidden - nnp.mean(hidden, axis=0)


class StartsFromOnes(Memory):
    def start(self, params: Any, x: Any) -> Any:
        return np.ones((len(x), OUT), x.dtype)


class IgnoresTheState(Memory):
    def entering(self, hidden: Any) -> Any:
        return hidden * 0


class ReturnsTheOldState(Memory):
    def leaving(self, hidden: Any, state: Any) -> Any:
        return hidden * 0 if state is None else state["hidden"]


class RunsBackwards(Memory):
    def order(self, steps: int) -> Any:
        return reversed(range(steps))


class ReturnsPaddingSteps(Memory):
    def masked(self, valid: Any, hidden: Any, before: Any) -> Any:
        return hidden


class MasksByMultiplying(Memory):
    def masked(self, valid: Any, hidden: Any, before: Any) -> Any:
        return valid * hidden + (1 - valid) * before


class IgnoresResets(Memory):
    def reset(self, hidden: Any, reset: Any) -> Any:
        return hidden


class ResetsAllRows(Memory):
    def reset(self, hidden: Any, reset: Any) -> Any:
        return hidden * 0 if reset.any() else hidden


class TruncatedState(Memory):
    def step(self, params: Any, x: Any, hidden: Any) -> Any:
        return super().step(params, x, stop_gradient(hidden))


class DetachedNewState(Memory):
    def leaving(self, hidden: Any, state: Any) -> Any:
        return stop_gradient(hidden)


_TRIPLED_PAIR = Pair(lambda hidden: (hidden, None), lambda g, residuals, argnums, hidden: (3 * g,))
_TRIPLED = fused(lambda hidden: hidden * 1, cpu=_TRIPLED_PAIR, gpu=_TRIPLED_PAIR)


class TripledState(Memory):
    def step(self, params: Any, x: Any, hidden: Any) -> Any:
        return super().step(params, x, _TRIPLED(hidden))

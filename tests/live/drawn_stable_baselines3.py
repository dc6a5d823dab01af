"""Random models of Stable-Baselines3: an algorithm, spaces, and the form of the policy."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import make_stable_baselines3
import numpy as np
from hypothesis import strategies as st
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from torch import nn

ACTIVATIONS = [
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.LogSigmoid, nn.Mish),
    *(nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softsign, nn.Tanh),
    *(partial(nn.LeakyReLU, 0.3), partial(nn.ELU, alpha=0.5), partial(nn.GELU, "tanh"), partial(nn.Softplus, 2.0)),
    *(partial(nn.ReLU, inplace=True), partial(nn.Hardtanh, -0.5, 2.0)),
]
SIZES = st.lists(st.integers(1, 9), max_size=3)


@st.composite
def models(draw: st.DrawFn) -> Any:
    """Return a model with large random parameters."""
    algorithm = draw(st.sampled_from([A2C, DDPG, DQN, PPO, SAC, TD3]))
    kwargs: dict[str, Any] = {"net_arch": _net_arch(draw, algorithm)}
    if draw(st.booleans()):
        kwargs["activation_fn"] = draw(st.sampled_from(ACTIVATIONS))
    if draw(st.booleans()) and algorithm is not DQN:
        kwargs["share_features_extractor"] = draw(st.booleans())
    is_discrete = algorithm is DQN or (algorithm in (A2C, PPO) and draw(st.booleans()))
    actions = gymnasium.spaces.Discrete(draw(st.integers(2, 6))) if is_discrete else _box(draw)
    if algorithm in (A2C, PPO, SAC) and not is_discrete and draw(st.booleans()):
        kwargs |= _noise(draw, algorithm)
    return make_stable_baselines3.make(algorithm, _observations(draw), actions, kwargs)


def _net_arch(draw: st.DrawFn, algorithm: Any) -> Any:
    if algorithm is DQN or draw(st.booleans()):
        return draw(SIZES)
    return {"pi": draw(SIZES), "vf" if algorithm in (A2C, PPO) else "qf": draw(SIZES)}


def _noise(draw: st.DrawFn, algorithm: Any) -> dict[str, Any]:
    own = {"clip_mean": st.sampled_from([0.0, 0.5, 2.0])} if algorithm is SAC else {"squash_output": st.booleans()}
    return {"use_sde": True, **{name: draw(values) for name, values in own.items()}}


def _observations(draw: st.DrawFn) -> Any:
    if draw(st.integers(0, 9)) == 0:
        return gymnasium.spaces.MultiBinary(draw(st.integers(1, 5)))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    return gymnasium.spaces.Box(-np.inf, np.inf, shape, draw(st.sampled_from([np.float32, np.float64])))


def _box(draw: st.DrawFn) -> Any:
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    low = rng.normal(0, 3, shape).round(2)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return gymnasium.spaces.Box(low.astype(dtype), (low + rng.uniform(0.1, 5, shape)).astype(dtype), dtype=dtype)

"""Small agents of TD3, DDPG, SAC and REDQ, a batch for them, and their networks computed by hand in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from backends import device
from by_hand import double, mlp
from gymnasium.spaces import Box

from examples.online import redq, sac
from npnets import data, optim, tree

LOW, HIGH = np.float32([-2, -1]), np.float32([2, 7])  # bounds that are not symmetric
HALF, CENTRE = (HIGH - LOW) / 2, (HIGH + LOW) / 2
OBS, ACT = Box(-np.inf, np.inf, (3,)), Box(LOW, HIGH)
ROWS = 7


def agent_of(module: Any, **settings: Any) -> Any:
    """Return a small agent of an example."""
    given = {"hidden_sizes": (6, 5), "gamma": 0.9, "device": device(), **settings}
    return getattr(module, module.__name__.rpartition(".")[2].upper())(module.Settings(**given), OBS, ACT)


def made(module: Any, **settings: Any) -> Any:
    """Return a small agent of an example, whose gradient steps are plain and of length one."""
    agent = agent_of(module, **settings)
    for name in vars(agent).copy():
        if name.endswith("_adam"):
            setattr(agent, name, optim.sgd(1.0))
    return agent


def begun(agent: Any) -> Any:
    """Return a first state in float64, with targets that differ from the networks."""
    state, other = (agent.init(np.random.default_rng(seed)) for seed in (0, 1))
    targets = {name: getattr(other, name) for name in state._fields if name.startswith("target_")}
    return tree.map(lambda leaf: double(leaf) if hasattr(leaf, "dtype") else leaf, state._replace(**targets))


def batch() -> data.Transitions:
    rng = np.random.default_rng(5)
    shapes = (ROWS, 3), (ROWS, 2), (ROWS,), (ROWS, 3)
    return data.Transitions(*(rng.normal(size=shape) for shape in shapes), np.arange(ROWS) % 3 == 0)


def features(params: Any, x: Any) -> Any:
    return np.maximum(mlp(params["model"], x), 0)


def acting(params: Any, obs: Any) -> Any:
    return CENTRE + HALF * np.tanh(mlp(params["last"], features(params["preprocess"], obs)))


def valued(params: Any, obs: Any, act: Any) -> Any:
    """Return values `(batch,)`, of an ensemble `(members, batch)`."""
    return mlp(params["last"], features(params["preprocess"], np.concatenate([obs, act], axis=1)))[..., 0]


def drawn(params: Any, obs: Any, noise: Any) -> Any:
    """Return squashed actions, and the log-densities of those scaled to [-1, 1], by the change of variables."""
    x = features(params["preprocess"], obs)
    sigma = np.exp(np.clip(mlp(params["sigma"], x), -20, 2))
    u = mlp(params["mu"], x) + sigma * noise
    log_density = -(noise**2) / 2 - np.log(sigma * np.sqrt(2 * np.pi)) - np.log(1 - np.tanh(u) ** 2)
    return CENTRE + HALF * np.tanh(u), log_density.sum(axis=1)


def two_drawn(rng: Any) -> Any:
    return lambda values: values[rng.permutation(10)[:2]].min(axis=0)


SOFT: dict[str, Any] = {
    "SAC": (sac, {}, lambda rng: lambda values: values.min(axis=0), np.min),
    "REDQ": (redq, {"updates_per_step": 1}, two_drawn, np.mean),
}

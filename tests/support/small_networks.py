"""One small network of each kind, with parameters, observations and actions, for tests of invalid input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import on_backend

from npnets import (
    MLP,
    VAE,
    Actor,
    ActorProb,
    Critic,
    LayerNorm,
    Linear,
    Net,
    Perturbation,
    Recurrent,
    RecurrentActorProb,
    RecurrentCritic,
)

NET = Net(5, hidden_sizes=(4,))
ACTOR = Actor(NET, 3)
PROB = ActorProb(NET, 3)
CRITIC = Critic(Net(5, 3, (4,), concat=True))
PERTURB = Perturbation(Net(8, 3, (4,)), 1.0)
CODER = VAE(MLP(8, 6, (7,)), MLP(7, 3, (7,)), 6, 2, 1.0)
PLAIN = MLP(5, 2, (4,))
LINEAR = Linear(5, 3)
NORM = LayerNorm(5)
RECURRENT = Recurrent(2, 5, 3, hidden_layer_size=4)
RECURRENT_PROB = RecurrentActorProb(1, 5, 3, 4)
RECURRENT_CRITIC = RecurrentCritic(2, 5, 3, hidden_layer_size=4)


def error_cases(cases: dict[str, tuple[Callable[..., Any], type[Exception], str]], argument: str = "call") -> Any:
    """Return the decorator that runs a test for each invalid call or argument, with its error and words of it."""
    return pytest.mark.parametrize((argument, "error", "words"), cases.values(), ids=cases)


def fresh_rng() -> np.random.Generator:
    return np.random.default_rng(0)


def params_of(net: Any, dtype: type = np.float32) -> Any:
    """Return parameters for a network, on the running backend."""
    return on_backend(net.init(fresh_rng(), dtype))


def forward(net: Any, *inputs: Any, **options: Any) -> Any:
    """Return the output of a network with initial parameters."""
    return net.forward(params_of(net), *inputs, **options)


def ones(*shape: int, dtype: type = np.float64) -> Any:
    """Return an array on the running backend."""
    return on_backend(np.ones(shape, dtype))


def obs() -> Any:
    """Return observations for the networks here."""
    return ones(2, 5, dtype=np.float32)


def act() -> Any:
    """Return the actions that go with them."""
    return ones(2, 3, dtype=np.float32)

"""One small network of each kind with its parameters, and observations and actions: what wrong input is tried on."""

from __future__ import annotations

from typing import Any

import numpy as np

from npnets import MLP, VAE, Actor, ActorProb, Critic, LayerNorm, Linear, Net, Perturbation

OBS, ACT = np.ones((2, 5), np.float32), np.ones((2, 3), np.float32)
NET = Net(5, hidden_sizes=(4,))


def fresh_rng() -> np.random.Generator:
    return np.random.default_rng(0)


def made(net: Any, dtype: type = np.float32) -> tuple[Any, Any]:
    """Return a network and parameters for it."""
    return net, net.init(fresh_rng(), dtype)


ACTOR, P = made(Actor(NET, 3))
PROB, PROB_P = made(ActorProb(NET, 3))
CRITIC, CRITIC_P = made(Critic(Net(5, 3, (4,), concat=True)))
PERTURB, PERTURB_P = made(Perturbation(Net(8, 3, (4,)), 1.0))
CODER, CODER_P = made(VAE(MLP(8, 6, (7,)), MLP(7, 3, (7,)), 6, 2, 1.0))
PLAIN, PLAIN_P = made(MLP(5, 2, (4,)))
LINEAR, LINEAR_P = made(Linear(5, 3))
NORM, NORM_P = made(LayerNorm(5))

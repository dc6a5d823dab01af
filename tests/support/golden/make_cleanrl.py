"""Write `cleanrl/`: state dicts of CleanRL's networks, as its scripts save them, and the actions that they compute.

    python tests/support/golden/make_cleanrl.py

Needs CleanRL (`pip install --no-deps --ignore-requires-python cleanrl==1.2.0`), and what its scripts import: PyTorch,
Gymnasium, Stable-Baselines3 and tensorboard. The networks are CleanRL's own classes; their hidden layers, whose widths
the scripts write as numbers, are made narrow. Later scripts than those of the release on PyPI save the networks of TD3
and DDPG as tuples of state dicts: the actor's, then the critics'.
"""

from __future__ import annotations

import importlib
import types
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

FOLDER = Path(__file__).with_name("cleanrl")
WIDE, NARROW = (64, 256), 6
LOW, HIGH = np.array([-2.0, -0.5], np.float32), np.array([1.0, 0.75], np.float32)
OBSERVATION_SPACE = gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float64)


def narrow_linear(inputs: int, outputs: int) -> torch.nn.Linear:
    """A linear layer whose hidden sides are narrow."""
    return torch.nn.Linear(*(NARROW if width in WIDE else int(width) for width in (inputs, outputs)))


def script(name: str) -> Any:
    """A script of CleanRL as a module, which makes narrow layers."""
    module: Any = importlib.import_module(f"cleanrl.{name}")
    layers = types.SimpleNamespace(**vars(torch.nn))
    layers.Linear = narrow_linear
    module.nn = layers
    return module


def environments(batched: bool) -> Any:
    """What the networks read of a vector environment; the spaces of several environments have an axis for them."""
    space = gymnasium.spaces.Box(LOW, HIGH)
    return types.SimpleNamespace(
        single_observation_space=OBSERVATION_SPACE,
        single_action_space=space,
        action_space=gymnasium.vector.utils.batch_space(space, 2) if batched else space,
    )


def with_larger_weights(network: Any) -> Any:
    """Return a network whose actions differ, and leave the bounds now and then where it does not squash."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.data.normal_(0, 0.7)
            layer.bias.data.normal_(0, 0.3)
    return network


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    observations = torch.as_tensor(np.random.default_rng(0).normal(size=(8, 3)), dtype=torch.float32)
    expected = {"observations": observations.numpy(), "low": LOW, "high": HIGH}
    for name in ("ppo", "rpo"):
        arguments = (0.5,) if name == "rpo" else ()
        agent = with_larger_weights(script(f"{name}_continuous_action").Agent(environments(False), *arguments))
        agent.actor_logstd.data.uniform_(-1, 0)
        torch.save(agent.state_dict(), FOLDER / f"{name}_continuous_action.cleanrl_model")
        expected[name] = np.clip(agent.actor_mean(observations).detach().numpy(), LOW, HIGH)
        expected[f"{name} deviation"] = agent.actor_logstd.exp().detach().numpy()[0]
    for name, batched, critics in (("td3", True, 2), ("ddpg", False, 1)):
        module = script(f"{name}_continuous_action")
        actor = with_larger_weights(module.Actor(environments(batched)))
        networks = [actor, *(module.QNetwork(environments(batched)) for _ in range(critics))]
        saved = tuple(network.state_dict() for network in networks)
        torch.save(saved, FOLDER / f"{name}_continuous_action.cleanrl_model")
        expected[name] = actor(observations[:2] if batched else observations).detach().numpy()
    actor = with_larger_weights(script("sac_continuous_action").Actor(environments(False)))
    torch.save(actor.state_dict(), FOLDER / "sac_continuous_action.cleanrl_model")
    expected["sac"] = actor.get_action(observations)[2].detach().numpy()
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()

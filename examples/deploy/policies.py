"""The policies of the tour, and how each file becomes a policy of npnets."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import npnets
from npnets import interop

DATA = Path(__file__).resolve().parents[1] / "data"
TORQUE = 2.0
"""The bound of Pendulum-v1's action, in N m."""


class PolicyFile(NamedTuple):
    """A file, its title in tables, and the library that can run it on PyTorch, if any."""

    path: Path
    title: str
    library: str | None = None


TOUR = (
    PolicyFile(DATA / "stable_baselines3_sac_pendulum.zip", "SAC of Stable-Baselines3", "stable_baselines3"),
    PolicyFile(DATA / "tianshou_td3_pendulum.pth", "TD3 of Tianshou 1.0", "tianshou"),
    PolicyFile(DATA / "npnets_policy_pendulum.npz", "SAC of npnets, normalized observations"),
)


def read(path: Path) -> npnets.Policy:
    """Read a policy for Pendulum-v1; a state dict of Tianshou does not hold the bounds of its actions."""
    policy = interop.load_policy(path, action_space=(-TORQUE, TORQUE))
    try:
        policy.act([1.0, 0.0, 0.0])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no policy for Pendulum-v1: {error}") from error
    return policy

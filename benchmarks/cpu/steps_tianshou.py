"""Learning steps of Tianshou 1.0.0's own TD3, SAC and BCQ.

`learn` is `policy.learn`. For TD3 and SAC it takes the critics' targets as an input, so in `whole` the policy computes
them first, from a batch instead of a replay buffer: the buffer's own time is excluded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from tianshou.data import Batch
from tianshou.policy import SACPolicy, TD3Policy
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import Actor, ActorProb, Critic
from torch import nn

from benchmarks.cpu import cells
from benchmarks.cpu.cells import Cell
from benchmarks.cpu.tianshou_parameters import arrays, load
from benchmarks.learning import bcq_tianshou
from examples.offline.bcq import TUNED, Settings

_TWINS = dict(zip(cells.CRITICS, ("critic", "critic2"), strict=True))
_OLD = {f"target {name}": f"{module}_old" for name, module in _TWINS.items()}
MODULES = {
    "td3": {"actor": "actor", **_TWINS, **_OLD, "target actor": "actor_old"},
    "sac": {"actor": "actor", **_TWINS, **_OLD},
    "bcq": {
        "perturbation": "actor_perturbation",
        "vae": "vae",
        **_TWINS,
        **{f"target {name}": f"{module}_target" for name, module in _TWINS.items()},
    },
}
"""The attribute of each network and each target network in its policy."""


def make(cell: Cell) -> tuple[Any, Callable[[], Any]]:
    """Return a policy with the initial parameters, and the call that is timed."""
    policy, first, given = _POLICIES[cell.network](cell), cells.first_parameters(cell), cells.data(cell)
    for name, module in MODULES[cell.network].items():
        load(getattr(policy, module), first[name.removeprefix("target ")])
    flat = {name: given[name][:, 0] for name in ("reward", "terminal")}
    batch = Batch(obs=given["obs"], act=given["act"], rew=flat["reward"], obs_next=given["next_obs"], info=Batch())
    batch.done = flat["terminal"]
    if cell.network == "bcq":
        return policy, lambda: policy.learn(batch)
    batch.returns = torch.as_tensor(given["reward"])
    reward, going_on = batch.returns, 1 - torch.as_tensor(given["terminal"])
    indices, buffer = np.arange(cell.batch), Batch(obs_next=given["next_obs"])

    def learn() -> Any:
        batch.__dict__.pop("weight", None)  # set by the last call, for a prioritized buffer
        return policy.learn(batch)

    def whole() -> Any:
        with torch.no_grad():
            batch.returns = reward + going_on * cells.GAMMA * policy._target_q(buffer, indices)
        return learn()

    return policy, whole if cell.kind == "whole" else learn


def outcome(cell: Cell) -> dict[str, Any]:
    """Return all parameters after a few steps, and the last losses."""
    policy, step = make(cell)
    last = [step() for _ in range(cells.STEPS)][-1]
    losses = [last.critic1_loss + last.critic2_loss, last.actor_loss]
    found = {"losses": np.stack([*losses, last.vae_loss] if cell.network == "bcq" else losses)}
    for name, module in MODULES[cell.network].items():
        net = getattr(policy, module)
        found |= {f"{name}.{path}": array for path, array in arrays(net, net.parameters()).items()}
    return found


def _td3(cell: Cell) -> TD3Policy:
    actor = Actor(Net(cells.OBS, hidden_sizes=cell.hidden), cells.ACT)
    noise = {"policy_noise": cells.NOISE, "noise_clip": cells.NOISE_LIMIT}
    return TD3Policy(**_common(actor, cell), **noise, update_actor_freq=1)


def _sac(cell: Cell) -> SACPolicy:
    actor = ActorProb(Net(cells.OBS, hidden_sizes=cell.hidden), cells.ACT, unbounded=True, conditioned_sigma=True)
    return SACPolicy(**_common(actor, cell), alpha=cells.ALPHA)


def _bcq(cell: Cell) -> Any:
    sizes = {"hidden_sizes": cell.hidden, "vae_hidden_sizes": cell.hidden, "latent_dim": cells.LATENT}
    settings = Settings(**{**TUNED["Pendulum-v1"], **sizes, "batch_size": cell.batch})
    return bcq_tianshou.make_policy(settings, cells.OBS, cells.ACT, max_action=1.0)


_POLICIES: dict[str, Callable[[Cell], Any]] = {"td3": _td3, "sac": _sac, "bcq": _bcq}


def _common(actor: nn.Module, cell: Cell) -> dict[str, Any]:
    """Return the arguments that TD3 and SAC share."""
    twins = [Critic(Net(cells.OBS, cells.ACT, hidden_sizes=cell.hidden, concat=True)) for _ in cells.CRITICS]
    modules = dict(zip(("actor", "critic", "critic2"), (actor, *twins), strict=True))
    adams = {
        f"{name}_optim": torch.optim.Adam(net.parameters(), cells.LEARNING_RATE, eps=cells.EPS)
        for name, net in modules.items()
    }
    space = gymnasium.spaces.Box(-1.0, 1.0, (cells.ACT,))
    return {**modules, **adams, "action_space": space, "tau": cells.TAU, "gamma": cells.GAMMA}

"""Complete policies of Tianshou 1.0.0 and algorithms of 2.x, each with the networks of its state dict.

Networks are written as the calls of `cases.py`, by the prefixes at which they stand in the state dict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import tianshou
import torch
from torch import nn

BOX = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

ACTOR = "Actor(Net(3, hidden_sizes=(4,)), 2)"
PROB = "ActorProb(Net(3, hidden_sizes=(4,)), 2, unbounded=True)"
CONDITIONED = "ActorProb(Net(3, hidden_sizes=(4,)), 2, conditioned_sigma=True)"
CRITIC = "Critic(Net(3, 2, (4,), concat=True))"
VALUE = "Critic(Net(3, hidden_sizes=(4,)))"
LAYER = "linear_layer=partial(EnsembleLinear, 2)"
ENSEMBLE = f"Critic(Net(3, 2, (4,), concat=True, {LAYER}), {LAYER}, flatten_input=False)"
PERTURBATION = "Perturbation(Net(5, 2, (4,)), 1.0)"
VAE = "VAE(MLP(5, hidden_sizes=(6,)), MLP(5, 2, (4,)), 6, 2, 1.0)"

Calls = dict[str, str]
Made = tuple[nn.Module, Calls]


def policies(vocabulary: dict[str, Any]) -> Iterator[Made]:
    """Go through policies of the version that is installed, each with the calls of its networks by their prefixes."""
    torch.manual_seed(0)
    return (_policies_of_1 if tianshou.__version__.startswith("1.") else _algorithms_of_2)(vocabulary)


def _policies_of_1(words: dict[str, Any]) -> Iterator[Made]:
    from tianshou import policy as p

    def make(policy: Any, calls: Calls, **options: Any) -> nn.Module:
        nets = {name: eval(call, words) for name, call in calls.items()}
        optims = {f"{name}_optim": _adam(net) for name, net in nets.items()}
        return policy(**nets, **optims, **options, action_space=BOX)  # type: ignore[no-any-return]

    calls = {"actor": ACTOR, "critic": CRITIC}
    yield make(p.DDPGPolicy, calls), _and_suffixed(calls, "_old")
    calls = {"actor": ACTOR, "critic": CRITIC, "critic2": CRITIC}
    yield make(p.TD3Policy, calls), _and_suffixed(calls, "_old")
    calls = {"actor": CONDITIONED, "critic": CRITIC, "critic2": CRITIC}
    yield make(p.SACPolicy, calls), _and_suffixed(calls, "_old")
    calls = {"actor": CONDITIONED, "critic": ENSEMBLE}
    yield make(p.REDQPolicy, calls, ensemble_size=2), _and_suffixed(calls, "_old")
    calls = {"actor_perturbation": PERTURBATION, "critic": CRITIC, "critic2": CRITIC}
    yield make(p.BCQPolicy, {**calls, "vae": VAE}), {**_and_suffixed(calls, "_target"), "vae": VAE}
    calls = {"actor": PROB, "critic": VALUE}
    nets = {name: eval(call, words) for name, call in calls.items()}
    ppo = p.PPOPolicy(**nets, optim=_adam(*nets.values()), dist_fn=_normal, action_space=BOX, action_scaling=False)
    yield ppo, {**calls, **{f"_actor_critic.{name}": call for name, call in calls.items()}}


def _algorithms_of_2(words: dict[str, Any]) -> Iterator[Made]:
    from tianshou import algorithm as a
    from tianshou.algorithm.imitation.bcq import BCQPolicy
    from tianshou.algorithm.modelfree.ddpg import ContinuousDeterministicPolicy
    from tianshou.algorithm.modelfree.redq import REDQPolicy
    from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
    from tianshou.algorithm.modelfree.sac import AutoAlpha, SACPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory

    adam = AdamOptimizerFactory()

    def make(algorithm: Any, policy: Any, held: Calls, calls: Calls, **options: Any) -> nn.Module:
        inner = policy(**{name: eval(call, words) for name, call in held.items()}, action_space=BOX)
        nets = {name: eval(call, words) for name, call in calls.items()}
        optims = {f"{name}_optim": adam for name in ("policy", *nets)}
        return algorithm(policy=inner, **nets, **optims, **options)  # type: ignore[no-any-return]

    actor, critic, critics = {"actor": ACTOR}, {"critic": CRITIC}, {"critic": CRITIC, "critic2": CRITIC}
    targets = {"policy.actor": ACTOR, "actor_old.module": ACTOR}
    ddpg = make(a.DDPG, ContinuousDeterministicPolicy, actor, critic)
    yield ddpg, {**targets, **_and_suffixed(critic, "_old.module")}
    td3 = make(a.TD3, ContinuousDeterministicPolicy, actor, critics)
    yield td3, {**targets, **_and_suffixed(critics, "_old.module")}
    actor, ensemble = {"actor": CONDITIONED}, {"critic": ENSEMBLE}
    sac = make(a.SAC, SACPolicy, actor, critics, alpha=AutoAlpha(-2.0, 0.0, adam))
    yield sac, {"policy.actor": CONDITIONED, **_and_suffixed(critics, "_old.module")}
    redq = make(a.REDQ, REDQPolicy, actor, ensemble, ensemble_size=2)
    yield redq, {"policy.actor": CONDITIONED, **_and_suffixed(ensemble, "_old.module")}
    held = {"actor_perturbation": PERTURBATION, "critic": CRITIC, "vae": VAE}
    inner = BCQPolicy(**{name: eval(call, words) for name, call in held.items()}, action_space=BOX)
    bcq = a.BCQ(policy=inner, critic2=eval(CRITIC, words), **{f"{name}_optim": adam for name in held})
    lagged = {"actor_perturbation": PERTURBATION, "critic": CRITIC, "critic2": CRITIC}
    yield (
        bcq,
        {
            **{f"policy.{name}": call for name, call in held.items()},
            "critic2": CRITIC,
            **{f"{name}_target.module": call for name, call in lagged.items()},
        },
    )
    prob = eval(PROB, words)
    policy = ProbabilisticActorPolicy(actor=prob, dist_fn=_normal, action_space=BOX, action_scaling=False)
    yield a.PPO(policy=policy, critic=eval(VALUE, words), optim=adam), {"policy.actor": PROB, "critic": VALUE}


def _and_suffixed(calls: Calls, suffix: str) -> Calls:
    """Return networks and their targets."""
    return {**calls, **{f"{name}{suffix}": call for name, call in calls.items()}}


def _adam(*networks: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam([parameter for network in networks for parameter in network.parameters()])


def _normal(loc_scale: Any) -> torch.distributions.Distribution:
    return torch.distributions.Independent(torch.distributions.Normal(*loc_scale), 1)

"""Write `tianshou_policies/<release>/`: state dicts of Tianshou's policies, and the actions that they evaluate to.

    python tests/support/golden/make_tianshou_policies.py

Needs Tianshou 1.0.0 or 2.x: run it once with each. Nothing is trained: the parameters are random numbers, large enough
to reach the bounds of the actions. `actions.npz` holds observations, and the actions of each policy by its name.
"""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import tianshou
import torch
from tianshou.data import Batch
from tianshou.utils import RunningMeanStd
from tianshou.utils.net.common import EnsembleLinear
from torch import nn

OLD = tianshou.__version__.startswith("1.")
FOLDER = Path(__file__).with_name("tianshou_policies") / tianshou.__version__
BOX = gymnasium.spaces.Box(np.array([-1.0, -2.0], np.float32), np.array([1.0, 3.0], np.float32))
DISCRETE = gymnasium.spaces.Discrete(4)
ROWS, OBSERVED, FEW = 12, 3, [6, 5]


def larger(module: nn.Module) -> Any:
    """Multiply the parameters of a policy, so that actions reach their bounds."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(3.0)
    return module


def normal(loc_scale: Any) -> Any:
    """Return a policy's distribution of actions, from a mean and a deviation."""
    return torch.distributions.Independent(torch.distributions.Normal(*loc_scale), 1)


def normal_of_two(loc: Any, scale: Any) -> Any:
    """Return the same, as 1.0 calls it."""
    return normal((loc, scale))


def adam(*networks: nn.Module) -> Any:
    """Return an optimizer of 1.0."""
    return torch.optim.Adam([parameter for network in networks for parameter in network.parameters()])


def redq(p: Any, net: Any, actor_prob: Any, critic: Any) -> Any:
    """Return a policy of 1.0 whose critic is an ensemble."""
    layer = {"linear_layer": partial(EnsembleLinear, 2)}
    values = critic(net(OBSERVED, 2, FEW, concat=True, **layer), **layer, flatten_input=False)
    actor = actor_prob(net(OBSERVED, hidden_sizes=FEW), 2, unbounded=True, conditioned_sigma=True)
    optims = {"actor_optim": adam(actor), "critic_optim": adam(values)}
    return p.REDQPolicy(actor=actor, critic=values, **optims, ensemble_size=2, action_space=BOX)


def policies_of_1() -> dict[str, tuple[Any, Any]]:
    """Return policies of 1.0, each with what is saved as its state dict and what acts."""
    from tianshou import policy as p
    from tianshou.utils.net import discrete
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import Actor, ActorProb, Critic, RecurrentActorProb

    def critic() -> Any:
        return Critic(Net(OBSERVED, 2, FEW, concat=True))

    def value() -> Any:
        return Critic(Net(OBSERVED, hidden_sizes=FEW))

    tanh, norm = {"activation": nn.Tanh}, {"norm_layer": nn.LayerNorm}
    ddpg_actor = Actor(Net(OBSERVED, hidden_sizes=FEW), 2)
    td3_actor = Actor(Net(OBSERVED, hidden_sizes=FEW, **norm), 2, hidden_sizes=[4])
    sac_actor = ActorProb(Net(OBSERVED, hidden_sizes=FEW), 2, unbounded=True, conditioned_sigma=True)
    ppo_actor = ActorProb(Net(OBSERVED, hidden_sizes=FEW, **tanh), 2, unbounded=True)
    lstm_actor = RecurrentActorProb(1, OBSERVED, 2, 4, unbounded=True)
    discrete_actor = discrete.Actor(Net(OBSERVED, hidden_sizes=FEW), 4)
    q = Net(OBSERVED, 4, [16])
    made = {}
    nets = [ddpg_actor, critic()]
    optims = {"actor_optim": adam(nets[0]), "critic_optim": adam(nets[1])}
    made["ddpg"] = p.DDPGPolicy(actor=nets[0], critic=nets[1], **optims, action_space=BOX)
    for name, kind, actor in (("td3", p.TD3Policy, td3_actor), ("sac", p.SACPolicy, sac_actor)):
        nets = [actor, critic(), critic()]
        keys = ("actor", "critic", "critic2")
        given = dict(zip(keys, nets, strict=True)) | {f"{k}_optim": adam(n) for k, n in zip(keys, nets, strict=True)}
        made[name] = kind(**given, action_space=BOX)
    for name, actor in (("ppo", ppo_actor), ("ppo_recurrent", lstm_actor)):
        given = {"actor": actor, "critic": value(), "dist_fn": normal_of_two, "action_space": BOX}
        made[name] = p.PPOPolicy(**given, optim=adam(actor, given["critic"]), deterministic_eval=True)
    given = {"actor": discrete_actor, "critic": discrete.Critic(Net(OBSERVED, hidden_sizes=FEW))}
    given |= {"dist_fn": torch.distributions.Categorical, "action_space": DISCRETE, "action_scaling": False}
    made["ppo_discrete"] = p.PPOPolicy(**given, optim=adam(discrete_actor), deterministic_eval=True)
    made["dqn"] = p.DQNPolicy(model=q, optim=adam(q), action_space=DISCRETE, target_update_freq=5)
    sides = ({"hidden_sizes": [4]}, {"hidden_sizes": [5]})
    q = Net(OBSERVED, 4, FEW, dueling_param=sides)
    made["dqn_dueling"] = p.DQNPolicy(model=q, optim=adam(q), action_space=DISCRETE)
    made["redq"] = redq(p, Net, ActorProb, Critic)
    actor = discrete.Actor(Net(OBSERVED, hidden_sizes=FEW), 4, softmax_output=False)
    critics = [discrete.Critic(Net(OBSERVED, hidden_sizes=FEW), last_size=4) for _ in range(2)]
    given = {"actor": actor, "critic": critics[0], "critic2": critics[1]}
    optims = {f"{name}_optim": adam(net) for name, net in given.items()}
    made["sac_discrete"] = p.DiscreteSACPolicy(**given, **optims, action_space=DISCRETE)
    return {name: (larger(policy), policy) for name, policy in made.items()}


def policies_of_2() -> dict[str, tuple[Any, Any]]:
    """Return algorithms of 2.x, each with what acts."""
    from tianshou import algorithm as a
    from tianshou.algorithm.modelfree.ddpg import ContinuousDeterministicPolicy
    from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
    from tianshou.algorithm.modelfree.sac import SACPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import (
        ContinuousActorDeterministic,
        ContinuousActorProbabilistic,
        ContinuousCritic,
    )

    def trunk(**options: Any) -> Any:
        return Net(state_shape=OBSERVED, hidden_sizes=FEW, **options)

    def critic() -> Any:
        joined = Net(state_shape=OBSERVED, action_shape=2, hidden_sizes=FEW, concat=True)
        return ContinuousCritic(preprocess_net=joined)

    factory = AdamOptimizerFactory()
    actor = ContinuousActorDeterministic(preprocess_net=trunk(norm_layer=nn.LayerNorm), action_shape=2)
    policy = ContinuousDeterministicPolicy(actor=actor, action_space=BOX)
    optims = {"policy_optim": factory, "critic_optim": factory}
    td3 = a.TD3(policy=policy, critic=critic(), critic2=critic(), **optims)
    actor = ContinuousActorProbabilistic(preprocess_net=trunk(), action_shape=2, unbounded=True, conditioned_sigma=True)
    sac = a.SAC(policy=SACPolicy(actor=actor, action_space=BOX), critic=critic(), critic2=critic(), **optims)
    actor = ContinuousActorProbabilistic(preprocess_net=trunk(activation=nn.Tanh), action_shape=2, unbounded=True)
    policy = ProbabilisticActorPolicy(actor=actor, dist_fn=normal, deterministic_eval=True, action_space=BOX)
    ppo = a.PPO(policy=policy, critic=ContinuousCritic(preprocess_net=trunk()), optim=factory)
    made = {"td3": td3, "sac": sac, "ppo": ppo, **of_discrete_actions(a, trunk, factory)}
    found = {name: (larger(algorithm), algorithm.policy) for name, algorithm in made.items()}
    return {**found, "sac_policy": (sac.policy, sac.policy)}  # alone, without critics


def of_discrete_actions(a: Any, trunk: Any, factory: Any) -> dict[str, Any]:
    """Return algorithms of 2.x for discrete actions."""
    from tianshou.algorithm.modelfree.discrete_sac import DiscreteSACPolicy
    from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
    from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic

    q = Net(state_shape=OBSERVED, action_shape=4, hidden_sizes=[16])
    policy = DiscreteQLearningPolicy(model=q, action_space=DISCRETE)
    made = {"dqn": a.DQN(policy=policy, optim=factory, target_update_freq=5)}
    actor = DiscreteActor(preprocess_net=trunk(), action_shape=4)
    policy = DiscreteActorPolicy(actor=actor, action_space=DISCRETE, deterministic_eval=True)
    made["ppo_discrete"] = a.PPO(policy=policy, critic=DiscreteCritic(preprocess_net=trunk()), optim=factory)
    actor = DiscreteActor(preprocess_net=trunk(), action_shape=4, softmax_output=False)
    critics = [DiscreteCritic(preprocess_net=trunk(), last_size=4) for _ in range(2)]
    given = {"policy": DiscreteSACPolicy(actor=actor, action_space=DISCRETE)}
    given |= {"critic": critics[0], "critic2": critics[1]}
    return {**made, "sac_discrete": a.DiscreteSAC(**given, **{f"{name}_optim": factory for name in given})}


def evaluated(policy: Any, obs: Any) -> Any:
    """Return the actions in the environment's units that a policy evaluates to."""
    policy.eval()
    policy.is_within_training_step = False
    with torch.no_grad():
        act = policy(Batch(obs=obs, info=Batch())).act
    return np.asarray(policy.map_action(act.numpy() if hasattr(act, "numpy") else act))


def statistics(obs: Any) -> Any:
    """Return Tianshou's statistics of observations."""
    found = RunningMeanStd()
    found.update(obs * 3 + 1)
    return found


def main() -> None:
    """Write the files."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - as Tianshou draws
    FOLDER.mkdir(parents=True, exist_ok=True)
    obs = np.random.default_rng(0).normal(0, 2, (ROWS, OBSERVED)).astype(np.float32)
    found = {"obs": obs}
    made = policies_of_1() if OLD else policies_of_2()
    for name, (saved, policy) in made.items():
        torch.save(saved.state_dict(), FOLDER / f"{name}.pth")
        found[name] = evaluated(policy, obs)
    statistic = statistics(obs)
    normalized = statistic.norm(obs.astype(np.float64)).astype(np.float32)
    torch.save({"model": made["ppo"][0].state_dict(), "obs_rms": statistic}, FOLDER / "ppo_normalized.pth")
    (FOLDER / "statistics.pkl").write_bytes(pickle.dumps(statistic))
    found |= {
        "ppo_normalized": evaluated(made["ppo"][1], normalized),
        "normalized": statistic.norm(obs.astype(np.float64)),
    }
    np.savez(FOLDER / "actions.npz", **found)


if __name__ == "__main__":
    main()

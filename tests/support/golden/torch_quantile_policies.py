"""Complete policies of Tianshou 1.0.0 and algorithms of 2.x with quantile networks and noisy layers.

Networks are written as the calls of `cases.py`, by the prefixes at which they stand in the state dict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import tianshou
import torch
from torch import nn

ACTIONS = gymnasium.spaces.Discrete(2)
NOISY = "{'linear_layer': NoisyLinear}"

IMPLICIT = "ImplicitQuantileNetwork(Net(3, hidden_sizes=(4,)), 2, num_cosines=5)"
FULL = "FullQuantileFunction(Net(3, hidden_sizes=(4,)), 2, num_cosines=5)"
PROPOSAL = "FractionProposalNetwork(6, 4)"
RAINBOW = f"Net(3, 2, (4,), softmax=True, num_atoms=3, dueling_param=({NOISY}, {NOISY}))"

Calls = dict[str, str]
Made = tuple[nn.Module, Calls]


def policies(vocabulary: dict[str, Any]) -> Iterator[Made]:
    """Go through policies of the version that is installed, each with the calls of its networks by their prefixes."""
    torch.manual_seed(0)
    return (_policies_of_1 if tianshou.__version__.startswith("1.") else _algorithms_of_2)(vocabulary)


def _policies_of_1(words: dict[str, Any]) -> Iterator[Made]:
    from tianshou import policy as p

    def make(policy: Any, call: str, **options: Any) -> nn.Module:
        model = eval(call, words)
        return policy(model=model, optim=_adam(model), action_space=ACTIONS, target_update_freq=5, **options)  # type: ignore[no-any-return]

    yield make(p.IQNPolicy, IMPLICIT), _with_target("model", IMPLICIT)
    proposal = eval(PROPOSAL, words)
    fractions = {"fraction_model": proposal, "fraction_optim": _adam(proposal), "num_fractions": 6}
    yield make(p.FQFPolicy, FULL, **fractions), {**_with_target("model", FULL), "fraction_model": PROPOSAL}
    yield make(p.RainbowPolicy, RAINBOW, num_atoms=3), _with_target("model", RAINBOW)


def _algorithms_of_2(words: dict[str, Any]) -> Iterator[Made]:
    from tianshou.algorithm.modelfree.c51 import C51Policy
    from tianshou.algorithm.modelfree.fqf import FQF, FQFPolicy
    from tianshou.algorithm.modelfree.iqn import IQN, IQNPolicy
    from tianshou.algorithm.modelfree.rainbow import RainbowDQN
    from tianshou.algorithm.optim import AdamOptimizerFactory

    options = {"optim": AdamOptimizerFactory(), "target_update_freq": 5}
    policy = IQNPolicy(model=eval(IMPLICIT, words), action_space=ACTIONS)
    yield IQN(policy=policy, **options), _with_lagged(IMPLICIT)
    models = {"model": eval(FULL, words), "fraction_model": eval(PROPOSAL, words)}
    fqf = FQF(policy=FQFPolicy(**models, action_space=ACTIONS), fraction_optim=AdamOptimizerFactory(), **options)
    yield fqf, {**_with_lagged(FULL), "policy.fraction_model": PROPOSAL}
    policy = C51Policy(model=eval(RAINBOW, words), action_space=ACTIONS, num_atoms=3)
    yield RainbowDQN(policy=policy, **options), {"policy.model": RAINBOW, "model_old": RAINBOW}


def _with_target(name: str, call: str) -> Calls:
    return {name: call, f"{name}_old": call}


def _with_lagged(call: str) -> Calls:
    return {"policy.model": call, "model_old.module": call}


def _adam(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters())

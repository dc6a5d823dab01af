"""Tianshou's networks for discrete actions, by the names that the cases have for them."""

from typing import Any

from tianshou.utils.net import common, discrete
from torch import nn

CLASSES: dict[str, Any] = {
    **{f"Discrete{name}": getattr(discrete, name, None) for name in ("Actor", "Critic")},
    "BranchingNet": common.BranchingNet,
    "IntrinsicCuriosityModule": discrete.IntrinsicCuriosityModule,
}
"""2.x has other names for the first two, and `make_trunks.py` needs none of the two."""


_NETWORKS = "DiscreteActor(Net(5, hidden_sizes=(7,)), 3, (6,)), DiscreteCritic(Net(5, hidden_sizes=(7,)))"
PAIRS = [
    f"ActorCritic({_NETWORKS})",
    f"ActorCritic({_NETWORKS}, share_preprocess=True)",
    "ActorCritic(ActorProb(Net(5, hidden_sizes=(7,)), 2), Critic(Net(5, hidden_sizes=(7,))), share_preprocess=True)",
]
"""Calls that make an actor and a critic in one network."""


def actor_critic(actor: nn.Module, critic: nn.Module, share_preprocess: bool = False) -> common.ActorCritic:
    """Return both as one network, in which they share a trunk if they were made on the same module."""
    if share_preprocess:
        critic.preprocess = actor.preprocess
    return common.ActorCritic(actor, critic)

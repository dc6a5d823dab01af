"""Actors and critics for discrete actions: Tianshou's `tianshou.utils.net.discrete`."""

from npnets.discrete.actor import Actor
from npnets.discrete.critic import Critic
from npnets.public import listing

__all__ = ["Actor", "Critic"]

__dir__ = listing(__all__)
